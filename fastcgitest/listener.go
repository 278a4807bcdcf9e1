package fastcgitest

import (
	"net"
	"sync"
)

// A listener accepts one connection in memory, then waits to be closed.
type listener struct {
	addr   net.Addr
	conns  chan net.Conn // has room for the one
	closed chan struct{}
	once   sync.Once
}

// newListener returns a listener and the other end of the connection that it is
// about to accept.
func newListener() (*listener, net.Conn) {
	near, far := net.Pipe()
	l := &listener{addr: far.LocalAddr(), conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conns <- far
	return l, near
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close also closes the connection if nobody has accepted it, so that whoever
// writes to it finds out.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	select {
	case c := <-l.conns:
		return c.Close()
	default:
		return nil
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }
