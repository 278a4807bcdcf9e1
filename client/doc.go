// Package client talks to FastCGI applications: it dials them, sends a request
// and reads the response while the request is still being sent.
//
// It stands on package protocol and is what the gateway and the tool stand on.
//
//	c := &client.Client{Addr: "unix:/run/php/php-fpm.sock"}
//	defer c.Close()
//	resp, err := c.Do(ctx, &client.Request{
//		Params: []client.Pair{
//			{Name: "REQUEST_METHOD", Value: "GET"},
//			{Name: "SCRIPT_FILENAME", Value: "/var/www/index.php"},
//		},
//		Stderr: os.Stderr,
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer resp.Close()
//	io.Copy(os.Stdout, resp) // the CGI response: header, blank line, body
//	end, err := resp.Wait()  // how it ended: end.AppStatus
//
// # HTTP
//
// A [Transport] does the rest of what a web server does: with it, http.Client and
// httputil.ReverseProxy speak to an application.
//
//	web := &http.Client{Transport: &client.Transport{Client: c}}
//	resp, err := web.Get("http://example.org/path")
//
// Who wants to do that by hand has [ReadHead] for the header of a response, and
// [StatusOf] for what to tell of an error.
//
// # Several requests on a connection, several applications
//
// A connection carries one request at a time, and is made for each, unless
// [Client.KeepConn] is set. [Client.Multiplex] has requests share connections. A
// [Balancer] sends requests to several applications; it and a Client are each a
// [Doer], which is what a Transport and the gateway take.
//
// # Addresses
//
// [Client].Addr takes what fastcgi.Listen and Server.Addr take, but for what
// can only be listened on: an inherited descriptor, a free port, and none at all.
//
//	unix:/path or /path               a socket file
//	unix:@name                        an abstract socket (Linux)
//	tcp:host:port, host:port or :port TCP; tcp4: and tcp6: for one version of IP
//	tls:host:port                     TCP with TLS over it: see Client.CAFile
//
// # Deadlines
//
// A request lives as long as its context allows; package client adds no
// deadline of its own to it, since only the caller knows how long its
// application may think. Cancelling closes the connection, which is how an
// application learns of it (§5.4 asks for no more from clients that do not
// multiplex, and many applications ignore ABORT_REQUEST). Where requests share the
// connection it sends ABORT_REQUEST. Besides, there are
//
//   - [Client.DialTimeout], 10 s, for a connection to be made, in several tries
//     while the application restarts or cannot accept more,
//   - [Client.IdleTimeout], 30 s, for a kept connection to find its next request,
//   - one second, after END_REQUEST, for its padding to arrive and for the end of
//     STDIN to be taken. A connection that needs longer is not used again; the
//     response is complete all the same.
//   - two seconds for an answer to [Client.GetValues], and for [MultiplexAsk],
//   - five seconds for an application to end a request that was aborted on a shared
//     connection, which gets no further ones then.
package client
