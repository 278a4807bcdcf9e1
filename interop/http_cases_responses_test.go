package interop_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
)

const sniffed = "Caddy, a server of net/http, looks at the body if there is no type"

// respond is a handler that sets header fields and writes pieces.
func respond(header http.Header, pieces ...string) func(http.ResponseWriter, *http.Request) []any {
	return func(w http.ResponseWriter, _ *http.Request) (notes []any) {
		maps.Copy(w.Header(), header)
		for _, p := range pieces {
			n, err := w.Write([]byte(p))
			notes = append(notes, n, err)
		}
		return notes
	}
}

// responseCases are about what is written.
var responseCases = []httpCase{
	{name: "nothing", handler: respond(nil)},
	{name: "hello", handler: respond(nil, "hello, world\n")},
	{name: "empty write", handler: respond(nil, "")},
	{name: "empty write first", handler: respond(nil, "", "a")},
	{name: "type set", handler: respond(http.Header{"Content-Type": {"application/json"}}, "{}")},
	{name: "type not wanted", handler: respond(http.Header{"Content-Type": nil}, "<html>"), differs: []difference{
		{"caddy", "Content-Type", sniffed},
	}},
	{name: "CVE-2020-24553 type of HTML", handler: respond(nil, "<html>")},
	{name: "CVE-2020-24553 type of text", handler: respond(nil, "no <html>")},
	{name: "CVE-2020-24553 nosniff", handler: respond(http.Header{"X-Content-Type-Options": {"nosniff"}}, "<html>")},
	{name: "type of two pieces", handler: respond(nil, "<ht", "ml>")},
	{name: "type of a short and a long piece", handler: respond(nil, "<ht", "ml>"+strings.Repeat("a", 4000))},
	{name: "type of an image", handler: respond(nil, "\x89PNG\x0d\x0a\x1a\x0a")},
	{name: "type of an encoded body", handler: respond(http.Header{"Content-Encoding": {"gzip"}}, "\x1f\x8b")},
	{name: "date set", handler: respond(http.Header{"Date": {"Sat, 03 Feb 2001 04:05:06 GMT"}}, "a")},
	{name: "date not wanted", handler: respond(http.Header{"Date": nil}, "a"), differs: []difference{
		{webServers, "Date", "a web server sets the date that the handler left out"},
	}},
	{name: "longest with a length", handler: respond(nil, strings.Repeat("a", 2048))},
	{name: "shortest without", handler: respond(nil, strings.Repeat("a", 2049))},
	{name: "longest with a length, in pieces", handler: respond(nil, strings.Repeat("a", 2047), "b")},
	{name: "shortest without, in pieces", handler: respond(nil, strings.Repeat("a", 2047), "bc")},
	{name: "long", handler: respond(nil, strings.Repeat("a", 100_000), "b", strings.Repeat("c", 100_000))},
	{name: "5 MB", handler: respond(nil, strings.Repeat("0123456789abcdef", 5<<16))},
	{name: "5 MB with a length", handler: respond(http.Header{"Content-Length": {"5242880"}}, strings.Repeat("0123456789abcdef", 5<<16))},
	{name: "length set", handler: respond(http.Header{"Content-Length": {"3"}}, "abc")},
	{name: "length set for a long body", handler: respond(http.Header{"Content-Length": {"5000"}}, strings.Repeat("a", 5000))},
	{name: "length exceeded at last", handler: respond(http.Header{"Content-Length": {"3"}}, "ab", "c", "d")},
	{name: "length not wanted", handler: respond(http.Header{"Content-Length": nil}, "abc")},
	{name: "length invalid", handler: respond(http.Header{"Content-Length": {"3a"}}, "abc"), differs: []difference{
		{"", "Content-Length", "net/http then sends in chunks; a response in one piece has a length here"},
	}},
	{name: "fields repeated", handler: respond(http.Header{"Set-Cookie": {"a=b", "c=d"}, "Vary": {"A", "B"}}, "a"), differs: []difference{
		{"apache", "Vary", "Debian's mod_deflate adds Accept-Encoding"},
	}},
	{name: "twenty cookies", handler: respond(http.Header{"Set-Cookie": strings.Fields(strings.Repeat("name=value ", 20))}, "a")},
	{name: "field of 8 KB", handler: respond(http.Header{"X-A": {strings.Repeat("a", 8000)}}, "a")},
	{name: "field with newlines", handler: respond(http.Header{"X-A": {"a\r\nSet-Cookie: b"}}, "a")},
	{name: "field with spaces", handler: respond(http.Header{"X-A": {" \t a \t "}, "X-B": {""}}, "a"), differs: []difference{
		{"lighttpd", "X-B", "it drops empty fields"},
	}},
	{name: "field with a bad name", handler: respond(http.Header{"X A": {"a"}, "": {"b"}, "X:": {"c"}, "X\r\nY": {"d"}}, "a")},
	{name: "field in another case", handler: respond(http.Header{"x-lower": {"a"}}, "a")},
	{name: "field of bytes", handler: respond(http.Header{"X-A": {"größe \xff"}}, "a")},
	{name: "chunked by hand", handler: respond(http.Header{"Transfer-Encoding": {"chunked"}}, "a"), differs: []difference{
		{"", "Content-Type", "the field is dropped, so the response is like any other; net/http does not look at the body"},
		{"", "Content-Length", "as above"},
	}},
	{name: "connection fields", handler: respond(http.Header{"Connection": {"close"}, "Keep-Alive": {"timeout=5"}}, "a")},
	{name: "field Status", handler: respond(http.Header{"Status": {"500"}}, "a"), differs: []difference{
		{"", "Status", "it would be the status of the response"},
	}},
	{name: "types", handler: respond(http.Header{"Content-Type": {"text/plain", "text/html"}}, "a"), differs: []difference{
		{"", "Content-Type", "a CGI response has the field once (RFC 3875 §6.3)"},
	}},
	{name: "trailer announced", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Trailer", "X-A")
		io.WriteString(w, strings.Repeat("a", 3000))
		w.Header().Set("X-A", "a")
		return nil
	}, differs: []difference{{"", "trailer X-A", "CGI has no trailers"}}},
	{name: "trailer unannounced", handler: respond(http.Header{http.TrailerPrefix + "X-A": {"a"}}, strings.Repeat("a", 3000)), differs: []difference{
		{"", "trailer X-A", "CGI has no trailers"},
	}},
	{name: "fields after body", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "a")
		w.Header().Set("X-A", "after")
		return nil
	}},

	{name: "flush first", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.(http.Flusher).Flush()
		io.WriteString(w, "<html>")
		return nil
	}, differs: []difference{{"caddy", "Content-Type", sniffed}}},
	{name: "flush between", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "<html>")
		err := http.NewResponseController(w).Flush()
		io.WriteString(w, "more")
		return []any{err}
	}},
	{name: "flush with a length", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "<html>")
		w.(http.Flusher).Flush()
		io.WriteString(w, "more")
		return nil
	}},
	{name: "events", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		for range 20 {
			io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
		return nil
	}},
	{name: "string written", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		n, err := w.(io.StringWriter).WriteString("<html>")
		return []any{n, err}
	}},
	{name: "read from", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(strings.Repeat("a", 100_000)))
		return []any{n, err}
	}},
	{name: "read from a short reader", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		n, err := io.Copy(w, io.LimitReader(strings.NewReader("<html>"), 100))
		return []any{n, err}
	}},

	{name: "HEAD", method: "HEAD", handler: respond(nil)},
	{name: "HEAD with a body", method: "HEAD", handler: respond(nil, "<html>")},
	{name: "HEAD with a long body", method: "HEAD", handler: respond(nil, strings.Repeat("a", 5000), "b")},
	{name: "HEAD with a length", method: "HEAD", handler: respond(http.Header{"Content-Length": {"1000"}})},
	{name: "HEAD with a length and a body", method: "HEAD", handler: respond(http.Header{"Content-Length": {"3"}}, "abc", "d")},
	{name: "HEAD not found", method: "HEAD", handler: serveAs(http.NotFoundHandler())},
}

// statusCases are about statuses.
var statusCases = []httpCase{
	{name: "status", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.WriteHeader(599)
		return nil
	}},
	{name: "status created", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Location", "/item/1")
		w.WriteHeader(http.StatusCreated)
		return nil
	}},
	{name: "status twice", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.WriteHeader(404)
		w.WriteHeader(200)
		return nil
	}},
	{name: "status after body", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "a")
		w.WriteHeader(404)
		return nil
	}},
	{name: "fields after status", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("X-A", "before")
		w.WriteHeader(404)
		w.Header().Set("X-A", "after")
		w.Header().Set("Content-Type", "application/json")
		return []any{w.Header().Get("X-A")}
	}},
	{name: "bad status", handler: func(w http.ResponseWriter, _ *http.Request) (notes []any) {
		defer func() { notes = []any{recover() != nil} }()
		w.WriteHeader(1000)
		return nil
	}},
	{name: "early hints", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.WriteHeader(102)
		w.WriteHeader(100)
		n, err := io.WriteString(w, "a")
		return []any{n, err}
	}, differs: []difference{{"", "informational", "a CGI response has one status"}}},
	{name: "no content", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(204)
		n, err := io.WriteString(w, "a")
		return []any{n, err, errors.Is(err, http.ErrBodyNotAllowed)}
	}, differs: []difference{{"apache", "Content-Type", "it takes away what would be about a body"}}},
	{name: "not modified", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Etag", `"a"`)
		w.WriteHeader(304)
		n, err := w.Write([]byte("a"))
		return []any{n, err, errors.Is(err, http.ErrBodyNotAllowed)}
	}},
	{name: "reset content", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.WriteHeader(http.StatusResetContent)
		return nil
	}},
	{name: "unauthorized", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Www-Authenticate", `Basic realm="a b"`)
		http.Error(w, "who?", http.StatusUnauthorized)
		return nil
	}},
	{name: "unavailable", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Retry-After", "7")
		http.Error(w, "later", http.StatusServiceUnavailable)
		return nil
	}},
}
