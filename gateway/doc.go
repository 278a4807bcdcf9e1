// Package gateway puts HTTP in front of a FastCGI application: an http.Handler
// that turns each HTTP request into a FastCGI request and the answer back into
// an HTTP response, as a web server does.
//
// It stands on package client.
//
//	app := &client.Client{Addr: "unix:/run/app.sock"}
//	defer app.Close()
//	log.Fatal(http.ListenAndServe("localhost:8080", &gateway.Handler{Client: app}))
//
// A Go application behind it sees the paths as they are. For PHP, say where its
// files are:
//
//	&gateway.Handler{Client: fpm, Root: "/var/www", Extension: ".php", FrontController: "/index.php"}
//
// FastCGI authorizers may be asked first, see [Handler.Authorizers].
//
// # What becomes of a request that fails
//
// The client gets a short page that names the status and nothing else; the cause
// is on the log.
//
//	400  the path has an encoded CR, LF or NUL, or the body breaks off
//	404  the path is outside of Prefix, or names no script
//	413  the body of a request without Content-Length exceeds SpoolLimit
//	431  a header field does not fit into a record (64 KiB)
//	500  the application does not serve the role it was asked for (UNKNOWN_ROLE)
//	502  it cannot be reached, breaks off before its header is complete, or
//	     sends something that is no CGI response
//	503  nobody listens, or too many connections wait there, for all of the
//	     Client's DialTimeout; it refuses the request for now (OVERLOADED,
//	     CANT_MPX_CONN); the Client is closed; or it is a client.Balancer
//	     that has no application
//	504  no answer to a connection within DialTimeout, or no header within
//	     ResponseHeaderTimeout
//	507  there is no room for the spool file
//
// Once the header is out, all that can be done is to break the response off, so
// that the client does not take a part of it for the whole:
// [http.ErrAbortHandler].
//
// # Other protocols
//
// Where the application answers 101 to a request with an Upgrade field, for a
// WebSocket for instance, the client's connection becomes one with it: what the
// client sends goes to STDIN, and what comes on STDOUT to the client, until both
// have ended, or one breaks off. The http.Server must let its connections be
// hijacked, so it is for HTTP/1.1. Neither its timeouts nor its Shutdown have
// hold of such a connection; the request's context has, and
// [Handler.UpgradeIdleTimeout].
//
// # What never crosses
//
// Header fields whose names could pass for another (X_User for X-User), Proxy,
// an Upgrade that cannot be, the response's hop-by-hop fields, a response
// header with control characters, and what follows the Content-Length that the
// application announced.
package gateway
