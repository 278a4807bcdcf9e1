package plaincgi

import (
	"net"
	"sync"
)

// A Listener accepts one connection, then waits to be closed.
type Listener struct {
	mu   sync.Mutex
	conn net.Conn
	done chan struct{}
	once sync.Once
}

// NewListener returns a Listener and the other end of its connection.
func NewListener() (*Listener, net.Conn) {
	near, far := net.Pipe()
	return &Listener{conn: far, done: make(chan struct{})}, near
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	c := l.conn
	l.conn = nil
	l.mu.Unlock()
	if c != nil {
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

// Close also closes the connection if nobody has accepted it, as happens where
// the server is closed before it serves.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: "cgi", Net: "unix"} }
