// Package fastcgi is the FastCGI toolkit for Go: applications that answer HTTP
// behind nginx, Apache, lighttpd, Caddy, HAProxy, H2O or OpenBSD httpd.
//
// A whole program:
//
//	func main() {
//		fastcgi.Main(fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
//			fastcgi.SendResponse(w, 200, "application/json", r.Params)
//		}))
//	}
//
// [Server] is what Main runs; it has the settings. [Listen] lists how an address is
// written.
//
// There are three kinds of handlers over one primitive, the exchange of a
// request and its response: an [AsyncHandler] has it bare and holds no goroutine
// while it waits, a [Handler] is a goroutine around it, and [HTTP] makes a Handler
// of an http.Handler. Authorizers and filters, the other roles of FastCGI, have
// fields of their own in Server.
//
// The package is what users see of internal/engine, which serves, over package
// protocol, which does no I/O, and drivers, which move the bytes; and of
// internal/nethttp, for http.Handlers. docs/architecture.md has the way of a request
// through them. Numbers like §5.3 name sections of the FastCGI 1.0
// specification, https://fastcgi-archives.github.io/FastCGI_Specification.html.
package fastcgi
