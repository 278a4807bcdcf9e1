package fastcgi

import (
	"fmt"
	"io"
	"net/http"
)

// A Handler answers requests, each in a goroutine of its own. The request ends
// when ServeFastCGI returns; neither argument may be used afterwards (their
// methods then return ErrFinished).
//
// A handler that writes no response has its request answered with status 500, and
// logged with method and path, unless the request was cancelled or the handler has set
// an appStatus.
//
// A handler that panics has its request answered with status 500, or cut short
// if it had begun to answer, and the stack goes to Server.ErrorLog.
type Handler interface {
	ServeFastCGI(w ResponseWriter, r *Request)
}

// A HandlerFunc is a function that is a Handler.
type HandlerFunc func(w ResponseWriter, r *Request)

// ServeFastCGI calls f.
func (f HandlerFunc) ServeFastCGI(w ResponseWriter, r *Request) { f(w, r) }

// An AsyncHandler answers requests without a goroutine for each. ServeAsync is
// called on the loop that owns the connection, must return at once, and arranges
// for Exchange.Finish to be called some time, from anywhere.
type AsyncHandler interface {
	ServeAsync(ex Exchange)
}

// An AsyncHandlerFunc is a function that is an AsyncHandler.
type AsyncHandlerFunc func(ex Exchange)

// ServeAsync calls f.
func (f AsyncHandlerFunc) ServeAsync(ex Exchange) { f(ex) }

// A ResponseWriter is what a request is answered with: a CGI response, that is
// header lines, an empty line and the body (RFC 3875 §6), which SendResponse and
// SendRedirect write for you. Both kinds of handlers have one; [Exchange] is
// the async one.
//
// What wraps one, to count what is written for instance, should embed the Exchange
// or have a method Unwrap() ResponseWriter that returns what it wraps: SendResponse
// then still knows whether the request was answered, and whether it is for HEAD. An
// embedded ResponseWriter alone does not tell.
type ResponseWriter interface {
	// Write appends to FCGI_STDOUT (§5.3). Output is sent when 32 KiB are
	// waiting, on Flush, and at the end of the request. In a Handler it waits
	// while the web server takes less than is written.
	Write(p []byte) (int, error)
	// Flush sends what was written so far.
	Flush() error
	// Stderr returns a writer to FCGI_STDERR (§5.3), which web servers show in
	// their error logs. It is sent with the next output.
	Stderr() io.Writer
	// SetAppStatus sets what a CGI program would have exited with (§5.5); 0
	// if it is not called.
	SetAppStatus(status uint32)
}

// An Authorizer decides whether a web server may go on with an HTTP request
// (§6.3). Its request has no body.
type Authorizer interface {
	Authorize(r *Request) Decision
}

// An AuthorizerFunc is a function that is an Authorizer.
type AuthorizerFunc func(r *Request) Decision

// Authorize calls f.
func (f AuthorizerFunc) Authorize(r *Request) Decision { return f(r) }

// A Decision is an Authorizer's answer, made by Allow or Deny. The zero
// Decision denies with status 403.
type Decision struct {
	allow     bool
	variables []Pair
	code      int
	mimeType  string
	data      any
	headers   []Pair
}

// Allow lets the HTTP request pass. The web server adds variables to it for
// whoever handles it next: AUTH_USER with the value joe is sent as the header
// field "Variable-AUTH_USER: joe" (§6.3).
func Allow(variables ...Pair) Decision {
	return Decision{allow: true, variables: variables}
}

// Deny refuses the HTTP request with a response, as SendResponse makes it from
// the same arguments. A code that web servers take for a yes, 200 to 299, is an
// error of Send, which then writes nothing.
func Deny(code int, mimeType string, data any, headers ...Pair) Decision {
	return Decision{code: code, mimeType: mimeType, data: data, headers: headers}
}

// Send writes the decision as the response of w.
func (d Decision) Send(w ResponseWriter) error {
	if !d.allow {
		code, mimeType := d.code, d.mimeType
		if code == 0 {
			code, mimeType = http.StatusForbidden, "text/plain"
		}
		if code/100 == 2 {
			return noteRefusal(w, fmt.Errorf("fastcgi: status code %d of Deny would allow the request", code))
		}
		return SendResponse(w, code, mimeType, d.data, d.headers...)
	}
	headers := make([]Pair, 0, len(d.variables))
	for _, v := range d.variables {
		headers = append(headers, Pair{Name: "Variable-" + v.Name, Value: v.Value})
	}
	return SendResponse(w, http.StatusOK, "", nil, headers...)
}

// authorize is the Handler around an Authorizer.
func authorize(a Authorizer) Handler {
	return HandlerFunc(func(w ResponseWriter, r *Request) {
		if err := a.Authorize(r).Send(w); err != nil {
			if r.ref().Responded() { // else it is logged at the end
				r.ref().Warn("decision cut short", "error", err, "request", r.ID)
			}
			w.SetAppStatus(1)
		}
	})
}
