// Package supervise keeps the processes of one program running, all of them sharing one listening socket as file
// descriptor 0, which is how FastCGI starts an application (§2.2, FCGI_LISTENSOCK_FILENO).
//
// It stands on the standard library and knows nothing of records or of HTTP: [Listen] makes the socket, a [Pool] keeps
// the processes. Only the tool imports it.
package supervise
