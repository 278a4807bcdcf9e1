package fastcgi

import (
	"context"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/internal/nethttp"
)

// HTTP makes a Handler of an http.Handler; nil means http.DefaultServeMux. The
// handler finds what it would find in a net/http server:
//
//   - RequestURI is what the client asked for, from REQUEST_URI or else SCRIPT_NAME,
//     PATH_INFO and QUERY_STRING. The URL has its path, and for its query
//     QUERY_STRING, wherever the web server passes that: it has the last word on the
//     query, which it may have rewritten. StripScriptName or http.StripPrefix mount
//     a handler below a path. The URL never has a host, whatever a client writes:
//     Host is HTTP_HOST, or else SERVER_NAME and SERVER_PORT.
//   - The header has the fields of HTTP_*, CONTENT_TYPE and CONTENT_LENGTH. Of a
//     field that comes more than once, the last one counts, as in Params; lists
//     such as Accept and Cookie have all values. There is never a field Proxy
//     (CVE-2016-5386), nor one from a name with other characters than capitals,
//     digits and "_": it could pass for another field.
//   - TLS is set if HTTPS says so, or REQUEST_SCHEME where HTTPS is neither on nor
//     off, with as much of the connection's state as SSL_PROTOCOL, SSL_CIPHER,
//     SSL_TLS_SNI, SSL_SESSION_RESUMED, SSL_CLIENT_CERT, SSL_CLIENT_CERT_CHAIN_0
//     and so on, and SSL_CLIENT_VERIFY tell.
//   - ContentLength is -1 if the body's length is not known; but 0 for GET, HEAD,
//     DELETE, OPTIONS and TRACE while nothing of a body has arrived, because some
//     web servers are late to say that there is none. The body is read as it
//     arrives, and reading and writing may go on side by side.
//   - The context is cancelled as [Request.Context] is, and has values for
//     http.ServerContextKey and http.LocalAddrContextKey. [FromContext] gives the
//     FastCGI request, in whose Params file names are without the prefix
//     "proxy:fcgi://" of Apache.
//
// A request that cannot be one of net/http is answered with status 400, and
// logged.
//
// The response is treated as by net/http: a Content-Type is sniffed and a Date
// set where there is none, a short response has a Content-Length, HEAD and the
// statuses without a body have none, and Write holds to a Content-Length that the
// handler sets. http.Flusher, io.ReaderFrom, io.StringWriter, http.CloseNotifier and
// all that http.ResponseController does are there; a deadline that has passed is
// final. What only a server that owns the
// client's connection can do is left to the web server: header fields about the
// connection, trailers and informational responses are not sent.
//
// http.Hijacker is for requests with an Upgrade field, WebSockets for instance,
// where the web server goes on passing data after status 101: the gateway does,
// and lighttpd. Elsewhere its error, an http.ErrNotSupported, says what is in the
// way. The connection takes the response's head as one of HTTP/1.1, unless
// WriteHeader was called before. Its Read returns io.EOF where the client has
// closed its side, and io.ErrUnexpectedEOF where the web server hung up. The
// FastCGI request goes on until the connection is closed, also after the handler
// has returned: it counts for Server.MaxConcurrency, Server.Shutdown waits for
// it, and Server.Close breaks it off.
//
// A handler that panics with http.ErrAbortHandler ends its response where it is,
// with a nonzero appStatus, and nothing is logged; if nothing was sent, the client
// gets a page with status 500, as after any other panic.
func HTTP(h http.Handler) Handler {
	return httpHandler{nethttp.NewHandler(h)}
}

// FromContext returns the FastCGI request that an http.Handler is serving, from
// the context of its http.Request: for Params and Role, which net/http has no
// place for, and Stderr and SetAppStatus. Its Read is the http.Request's Body. It
// is nil if the context is not from a request served through HTTP.
func FromContext(ctx context.Context) *Request {
	r, _ := nethttp.Owner(ctx).(*Request)
	return r
}

// An httpHandler is the Handler around an http.Handler.
type httpHandler struct{ handler *nethttp.Handler }

// ServeFastCGI implements Handler.
func (h httpHandler) ServeFastCGI(w ResponseWriter, r *Request) {
	h.handler.Serve(w, nethttp.Incoming{Call: r.call, ID: r.ID, Role: r.Role, Params: &r.Params.pairs, Owner: r})
}

// StripScriptName mounts a handler where the web server has put it: the handler
// sees its own paths, whatever is in front of them in the client's URLs. It goes
// around the handler of a whole application, right inside HTTP:
//
//	fastcgi.HTTP(fastcgi.StripScriptName(router))
//
// The path of the request's URL becomes PATH_INFO, or "/" if that is empty, which
// the web server has cut off behind SCRIPT_NAME (RFC 3875 §4.1.5). A script that
// requests are rewritten to, so that its name is in no URL, is mounted the same
// way. RequestURI stays as the client sent it.
//
// The way back is [BasePath], which links to the handler's own paths begin with.
// A Location that is a path gets it in front by itself, unless it begins with it:
// routers redirect to what they take for the whole path.
//
// The web server must split the path. nginx does so with fastcgi_split_path_info
// and a fastcgi_param PATH_INFO; by default it passes the whole path as
// SCRIPT_NAME, and all paths would be "/". With a prefix that is known,
// http.StripPrefix needs no such configuration.
//
// A request that is not served through HTTP, and one for "*", passes as it is.
func StripScriptName(h http.Handler) http.Handler { return nethttp.StripScriptName(h) }

// BasePath returns what StripScriptName has put a handler below, from the context
// of its http.Request: "/sub", escaped as in a URL and without a slash at the end.
// It is empty at the root, and where nothing was stripped.
func BasePath(ctx context.Context) string { return nethttp.BasePath(ctx) }
