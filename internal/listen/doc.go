// Package listen finds or makes the sockets a FastCGI application accepts on, and says who may connect to them.
//
// It sits on package address, which reads what an address means, on packages certs and tlsconn for sockets with TLS, and on
// the standard library's net. The root package wraps it, and package epoll, which accepts on the descriptor itself, uses [Listener], [Guard] and [Fd]; nothing else
// imports it.
//
// Sockets come from three places: the parent process (fd 0, [FastCGI 1.0 §2.2], or systemd's LISTEN_FDS), a descriptor
// number, or an address. FastCGI has no authentication: whoever connects speaks as the web server. So a socket
// file starts with mode 0660, and a TCP socket that other machines can reach is refused without a list of the web
// servers' addresses.
//
// [FastCGI 1.0 §2.2]: https://fast-cgi.github.io/spec#22-file-descriptors
package listen
