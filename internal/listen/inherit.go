package listen

import (
	"errors"
	"fmt"
	"net"
)

// descriptor takes over the inherited listening socket fd.
func (o *opener) descriptor(fd int) (net.Listener, error) {
	return o.inherit(fd, "", ": name the descriptor that the parent process passes its listening socket as")
}

// inherit takes over the listening socket fd. The remedy is for the person who started the program; it follows what is
// wrong with fd in a sentence, and so starts with ": ", or with ", " if it has more to say of the cause.
func (o *opener) inherit(fd int, name, remedy string) (net.Listener, error) {
	inner, err := takeOver(fd)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: fd %d %w%s", fd, err, remedy)
	}
	if err := o.checkExposure(inner.Addr()); err != nil {
		inner.Close()
		return nil, err
	}
	if _, ok := inner.Addr().(*net.TCPAddr); !ok && o.tls != nil {
		inner.Close()
		return nil, fmt.Errorf("fastcgi: fd %d: %w", fd, errUnixTLS)
	}
	return o.secure(&Listener{inner: inner, guard: o.guard, name: name}), nil
}

// notListening is why a descriptor is not a listening stream socket. It follows "fd N" in a sentence.
type notListening string

const (
	isClosed     = notListening("is not open")
	isNoSocket   = notListening("is not a listening socket")
	isNoStream   = notListening("is not a stream socket")
	isConnected  = notListening("is a connected socket, not a listening one, as inetd and systemd's Accept=yes pass them")
	isUnlistened = notListening("is a socket on which nobody has called listen")
)

func (n notListening) Error() string { return string(n) }

// isNotListening tells the absence of a listening socket from trouble with one.
func isNotListening(err error) bool {
	var reason notListening
	return errors.As(err, &reason)
}
