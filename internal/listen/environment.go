package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// ErrCGI says that there is no socket because the web server runs the program as plain CGI: the one request is in the
// environment and on standard input.
var ErrCGI = errors.New("fastcgi: fd 0 is not a listening socket and GATEWAY_INTERFACE is set: this is a plain CGI request")

// listenSockFileno is FCGI_LISTENSOCK_FILENO of FastCGI 1.0 §2.2.
const listenSockFileno = 0

// startedByHand ends errors about fd 0, and is for a person at a terminal.
const startedByHand = "start this through a web server, `fcgi serve`, or give an address"

// Environment takes over the sockets that the parent process passed: those of systemd's LISTEN_FDS, if they are meant
// for this process, or else fd 0. There is at least one when the error is nil.
//
// The LISTEN_ variables are unset, and every socket is marked close-on-exec, so that children inherit neither. Fd 0
// reads as empty afterwards, so a second call finds nothing.
//
// The error is [ErrCGI] when there is no socket because this is a CGI request. The listeners are of type
// *[Listener], or with TLS *[TLSListener].
func Environment(opts *Options) ([]net.Listener, error) {
	o, err := newOpener(opts)
	if err != nil {
		return nil, err
	}
	return o.environment()
}

func (o *opener) environment() ([]net.Listener, error) {
	passed := takeSystemd()
	sockets, err := passed.sockets()
	if err != nil {
		return nil, err
	}
	if len(sockets) > 0 {
		return o.systemd(sockets)
	}
	l, err := o.inherit(listenSockFileno, "", passed.whyUnused()+startedByHand)
	if isNotListening(err) && os.Getenv("GATEWAY_INTERFACE") != "" {
		return nil, ErrCGI
	}
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// onlyOne is environment for a caller who serves a single socket.
func (o *opener) onlyOne() (net.Listener, error) {
	ls, err := o.environment()
	if err != nil {
		return nil, err
	}
	if len(ls) > 1 {
		closeAll(ls)
		return nil, fmt.Errorf("fastcgi: LISTEN_FDS passes %d sockets and this program serves one: leave one in the socket unit",
			len(ls))
	}
	return ls[0], nil
}

func closeAll(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}
