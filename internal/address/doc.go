// Package address reads the addresses of FastCGI applications, in one grammar for all who take one: the server that
// listens and the client that dials; and what the system says of one at which an application does not accept.
//
// It sits on the standard library alone and touches neither the network nor the file system. Packages listen, client and
// gateway use it.
//
//	unix:/path or /path               a socket file
//	unix:@name                        an abstract socket (Linux)
//	tcp:host:port, host:port or :port TCP; tcp4: and tcp6: for one version of IP
//	tls:host:port                     TCP with TLS over it
//	fd:N                              an inherited descriptor, to listen on
//	""                                what the parent process passed, to listen on
//
// A form that is to come is a scheme in parse and a Kind. A host that is called as a scheme is written with another one
// before it: tcp:tls:9000.
package address
