package cgi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Request is an http.Request together with what it points to, for one
// allocation to hold. The zero value is ready to be filled.
type Request struct {
	HTTP   http.Request
	URL    url.URL // of HTTP
	values [fewFields]string
}

// fewFields is how many header fields a Request has room for: a browser sends ten
// to sixteen. For more there is an allocation.
const fewFields = 16

// Fill makes the request of its variables, all but its body. Where net/http would
// not have such a request, the error names the variable.
//
// ContentLength is that of CONTENT_LENGTH, or -1 if the web server does not tell.
// Body is http.NoBody if the length is zero, or else nil, for the caller to set.
//
// Of two variables for one fact, the one that the web server vouches for counts,
// and not the one with what the client wrote: QUERY_STRING for the query, whatever
// REQUEST_URI has behind its "?"; CONTENT_TYPE and CONTENT_LENGTH, never a variable
// of HTTP_* for them. REQUEST_URI is what the client asked for, and so is the path
// of the URL; HTTP_HOST is the host that the client asked for.
//
// Fill returns the variables with the names of files as they are, for Apache puts
// a prefix in front of them.
func (r *Request) Fill(ctx context.Context, variables protocol.Pairs) (protocol.Pairs, error) {
	var v requestVariables
	var room [fewFields]headerField
	fields, err := v.collect(variables, room[:0])
	if err != nil {
		return variables, err
	}
	if v.proxied {
		variables = unproxied(variables, v.query)
	}
	// This is the one way to give a request its context. The copy is made where
	// the caller has room for it, so that neither original is on the heap.
	q := &r.HTTP
	*q = *new(http.Request).WithContext(ctx)
	q.URL = &r.URL
	q.Header = makeHeader(fields, &r.values)
	q.RemoteAddr = v.remote()
	for _, set := range []func(*http.Request) error{v.setMethod, v.setProtocol, v.setURL, v.setHost, v.setLength} {
		if err := set(q); err != nil {
			return variables, err
		}
	}
	if v.isTLS() {
		q.TLS = v.tlsState(variables)
	}
	return variables, nil
}

// requestVariables are the variables that an http.Request is made of, but for
// those of its header: the meta-variables of RFC 3875 §4.1, and those that web
// servers add by custom.
type requestVariables struct {
	method, protocol                        string
	requestURI, scriptName, pathInfo, query string
	host, serverName, serverPort            string
	remoteAddr, remotePort                  string
	contentLength                           string
	https, scheme                           string
	sslProtocol, sslCipher, sslServerName   string
	sslClientCert, sslClientVerify          string
	sslSessionResumed                       string

	hasQuery bool // QUERY_STRING is there, though maybe empty
	proxied  bool // the name of a file has the prefix of Apache's mod_proxy
}

// collect reads the variables, and adds those that carry header fields to fields.
func (v *requestVariables) collect(variables protocol.Pairs, fields []headerField) ([]headerField, error) {
	for name, value := range variables.All() {
		if name == "CONTENT_LENGTH" && value == "-1" {
			value = "" // Caddy 2.6 does not leave it out when a client does not say
		}
		if variable := v.variable(name); variable != nil {
			*variable = value
			v.hasQuery = v.hasQuery || variable == &v.query
		}
		v.proxied = v.proxied || isProxied(name, value)
		header, ok := carriedHeader(name)
		switch {
		case !ok:
		case !ValidValue(value):
			return nil, fmt.Errorf("%s has a control character: %q", name, value)
		default:
			fields = append(fields, headerField{header, value})
		}
	}
	return fields, nil
}

// variable returns where the value of a variable goes, or nil.
func (v *requestVariables) variable(name string) *string {
	switch name {
	case "REQUEST_METHOD":
		return &v.method
	case "SERVER_PROTOCOL":
		return &v.protocol
	case "REQUEST_URI":
		return &v.requestURI
	case "SCRIPT_NAME":
		return &v.scriptName
	case "PATH_INFO":
		return &v.pathInfo
	case "QUERY_STRING":
		return &v.query
	case "HTTP_HOST":
		return &v.host
	case "SERVER_NAME":
		return &v.serverName
	case "SERVER_PORT":
		return &v.serverPort
	case "REMOTE_ADDR":
		return &v.remoteAddr
	case "REMOTE_PORT":
		return &v.remotePort
	case "CONTENT_LENGTH":
		return &v.contentLength
	case "HTTPS":
		return &v.https
	case "REQUEST_SCHEME":
		return &v.scheme
	case "SSL_PROTOCOL":
		return &v.sslProtocol
	case "SSL_CIPHER":
		return &v.sslCipher
	case "SSL_TLS_SNI":
		return &v.sslServerName
	case "SSL_CLIENT_CERT":
		return &v.sslClientCert
	case "SSL_CLIENT_VERIFY":
		return &v.sslClientVerify
	case "SSL_SESSION_RESUMED":
		return &v.sslSessionResumed
	}
	return nil
}

func (v *requestVariables) setMethod(r *http.Request) error {
	if !ValidName(v.method) {
		return fmt.Errorf("REQUEST_METHOD is %q", v.method)
	}
	r.Method = v.method
	return nil
}

// setProtocol takes the version. "INCLUDED" (RFC 3875 §4.1.16) is a request by a
// server-side include, and counts as HTTP/1.0, as it does in net/http/cgi, and
// so does a web server that does not tell.
func (v *requestVariables) setProtocol(r *http.Request) (err error) {
	var ok bool
	switch r.Proto = v.protocol; v.protocol {
	case "INCLUDED":
		r.ProtoMajor, ok = 1, true
	case "":
		r.Proto, r.ProtoMajor, ok = "HTTP/1.0", 1, true
	case "HTTP/2", "HTTP/3":
		r.ProtoMajor, ok = int(v.protocol[5]-'0'), true
	default:
		r.ProtoMajor, r.ProtoMinor, ok = http.ParseHTTPVersion(v.protocol)
	}
	if !ok {
		return fmt.Errorf("SERVER_PROTOCOL is %q", v.protocol)
	}
	return nil
}

// setLength takes the length of the body.
func (v *requestVariables) setLength(r *http.Request) error {
	if v.contentLength == "" {
		r.ContentLength = -1
		return nil
	}
	// 63 bits, and no sign.
	n, err := strconv.ParseUint(v.contentLength, 10, 63)
	if err != nil {
		return fmt.Errorf("CONTENT_LENGTH is %q", v.contentLength)
	}
	r.ContentLength = int64(n)
	if n == 0 {
		r.Body = http.NoBody
	}
	if n == 0 && !MayHaveBody(r.Method) {
		// lighttpd says so where the client has said nothing.
		delete(r.Header, "Content-Length")
	}
	return nil
}

// MayHaveBody reports whether requests of a method are expected to have a body.
func MayHaveBody(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}
