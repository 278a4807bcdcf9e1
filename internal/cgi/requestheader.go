package cgi

import (
	"net/http"
	"strings"
)

// A headerField is a header field of a request, under its canonical name.
type headerField struct{ name, value string }

// carriedHeader returns the header field that a variable carries. Host is no
// part of an http.Request's header, and what a web server hands on has no
// transfer coding any more.
func carriedHeader(variable string) (name string, ok bool) {
	switch variable {
	case "HTTP_HOST", "HTTP_TRANSFER_ENCODING":
		return "", false
	case "CONTENT_TYPE", "CONTENT_LENGTH":
	default:
		if !strings.HasPrefix(variable, "HTTP_") {
			return "", false
		}
	}
	return Header(variable)
}

// makeHeader makes the header of fields, in the order of their variables. An
// empty variable is the same as none (RFC 3875 §4.1), so it takes the field away.
// Of equal names the last one counts, but for lists.
func makeHeader(fields []headerField, room *[fewFields]string) http.Header {
	header := make(http.Header, len(fields))
	values := room[:]
	if len(fields) > len(values) {
		values = make([]string, len(fields))
	}
	repeated := false
	for i, f := range fields {
		if f.value == "" {
			delete(header, f.name)
			continue
		}
		distinct := len(header)
		values[i] = f.value
		header[f.name] = values[i : i+1 : i+1]
		repeated = repeated || len(header) == distinct
	}
	if repeated {
		joinLists(header, fields)
	}
	// As net/http has it: RFC 9111 §5.4 lets Pragma stand for the other.
	if pragma := header["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" && header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-cache"}
	}
	return header
}

// joinLists gives header all values of the lists among the fields, as net/http
// shows lines that a client repeats. nginx before 1.23, HAProxy and H2O pass
// each line as a parameter of its own.
func joinLists(header http.Header, fields []headerField) {
	joined := make(map[string][]string)
	for _, f := range fields {
		switch {
		case !isList(f.name):
		case f.value == "":
			delete(joined, f.name)
		default:
			joined[f.name] = append(joined[f.name], f.value)
		}
	}
	for name, values := range joined {
		header[name] = values
	}
}

// isList reports whether a field is a list in which clients say what they want
// or have.
//
// Others stay out even where HTTP has lists of them, as X-Forwarded-For: HAProxy
// and lighttpd pass what a client sends, and after it what their configuration
// has instead. A handler that asks for one value has to get the latter.
func isList(name string) bool {
	switch name {
	case "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
		"Cache-Control", "Connection", "Cookie", "If-Match", "If-None-Match", "Pragma", "Prefer",
		"Sec-Websocket-Extensions", "Sec-Websocket-Protocol", "Te", "Tracestate", "Upgrade", "Via", "Warning":
		return true
	}
	return false
}
