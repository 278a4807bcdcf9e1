package fastcgitest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Request is what a web server sends to an application. The zero Request is
// one without parameters; [NewRequest] makes one that has the usual ones.
//
// Change its fields as you like until it is sent. A Request without Body and Data
// may be sent more than once.
type Request struct {
	// Role is what the application is asked to be (§6). Zero is RoleResponder.
	// Authorize and Filter set it.
	Role protocol.Role
	// Params are sent in this order. Of those with the same name all are sent.
	Params []fastcgi.Pair
	// Header is sent behind Params, as a web server passes the fields of an HTTP
	// request on: HTTP_USER_AGENT for User-Agent, but CONTENT_TYPE. A field whose
	// variable is in Params is left out. The host is in Params.
	Header http.Header
	// Body is sent as FCGI_STDIN (§5.3); nil is an empty one. It is sent piece by
	// piece as it is read, so an io.Pipe sends a body step by step. An error of its
	// Read closes the connection. If it is an io.Closer it is closed at the end
	// of the request; otherwise its Read must not block for ever. An authorizer is
	// sent no body, and Body is not read.
	Body io.Reader
	// Data is sent as FCGI_DATA (§6.4) behind the body, and read as it is. It is for
	// the role RoleFilter alone.
	Data io.Reader

	err error // of NewRequest
}

// NewRequest returns a request with the parameters that web servers send for an
// HTTP request. The target is a path with its query, as in "/hello?name=joe", or a
// URL such as "https://example.org/hello", which has HTTPS and its port set
// accordingly. Without a host it is example.com. An empty method means GET. The
// client is 192.0.2.1, port 1234.
//
// The application is mounted at the root: SCRIPT_NAME is empty and PATH_INFO the
// whole path. Set both for another place.
//
// CONTENT_LENGTH is sent if the body is a *bytes.Buffer, *bytes.Reader or
// *strings.Reader, and neither Params nor Header say otherwise, and so is
// FCGI_DATA_LENGTH.
//
// What is wrong with the method or the target is an error when the request is
// sent.
func NewRequest(method, target string, body io.Reader) *Request {
	if method == "" {
		method = http.MethodGet
	}
	req := &Request{Header: http.Header{}, Body: body}
	line := method + " " + target + " HTTP/1.1\r\nHost: example.com\r\n\r\n"
	parsed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line)))
	if err != nil {
		req.err = fmt.Errorf("fastcgitest: NewRequest(%q, %q): %w", method, target, err)
		return req
	}
	req.Params = usualParams(parsed)
	return req
}

// usualParams returns the meta-variables of a request (RFC 3875 §4.1), and those
// that web servers usually add.
func usualParams(r *http.Request) []fastcgi.Pair {
	scheme, port := "http", "80"
	if r.URL.Scheme == "https" {
		scheme, port = "https", "443"
	}
	name := r.Host
	if host, named, err := net.SplitHostPort(r.Host); err == nil {
		name, port = host, named
	}
	uri := r.RequestURI
	if r.URL.IsAbs() {
		uri = r.URL.RequestURI()
	}
	path := r.URL.Path
	if path == "" && r.URL.IsAbs() {
		path = "/"
	}
	params := []fastcgi.Pair{
		{Name: "GATEWAY_INTERFACE", Value: "CGI/1.1"},
		{Name: "SERVER_SOFTWARE", Value: "fastcgitest"},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "SERVER_ADDR", Value: "192.0.2.2"},
		{Name: "SERVER_NAME", Value: name},
		{Name: "SERVER_PORT", Value: port},
		{Name: "REQUEST_METHOD", Value: r.Method},
		{Name: "REQUEST_SCHEME", Value: scheme},
		{Name: "REQUEST_URI", Value: uri},
		{Name: "QUERY_STRING", Value: r.URL.RawQuery},
		{Name: "SCRIPT_NAME", Value: ""},
		{Name: "PATH_INFO", Value: path},
		{Name: "REMOTE_ADDR", Value: "192.0.2.1"},
		{Name: "REMOTE_PORT", Value: "1234"},
		{Name: "HTTP_HOST", Value: r.Host},
	}
	if scheme == "https" {
		params = append(params, fastcgi.Pair{Name: "HTTPS", Value: "on"})
	}
	return params
}

// Param returns the value of a parameter in Params: the last, as it counts for the
// application, or "" if there is none.
func (r *Request) Param(name string) string {
	for i := len(r.Params) - 1; i >= 0; i-- {
		if r.Params[i].Name == name {
			return r.Params[i].Value
		}
	}
	return ""
}

// SetParam gives a parameter in Params a value, in place of all that it has. To
// add another one, append to Params.
func (r *Request) SetParam(name, value string) {
	kept, found := r.Params[:0], false
	for _, p := range r.Params {
		if p.Name != name {
			kept = append(kept, p)
		} else if !found {
			found = true
			kept = append(kept, fastcgi.Pair{Name: name, Value: value})
		}
	}
	if !found {
		kept = append(kept, fastcgi.Pair{Name: name, Value: value})
	}
	r.Params = kept
}

// DelParam removes a parameter from Params.
func (r *Request) DelParam(name string) {
	r.Params = slices.DeleteFunc(r.Params, func(p fastcgi.Pair) bool { return p.Name == name })
}
