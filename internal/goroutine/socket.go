package goroutine

import (
	"crypto/tls"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/tlsconn"
)

// A socket is a net.Conn below the seam.
type socket struct {
	// Immutable.
	driver *Driver
	nc     net.Conn
	raw    syscall.RawConn // nil if nc has no descriptor to use directly
	under  syscall.RawConn // what nc's bytes go through in the end, to ask the system about: raw, or what is under TLS; nil if unknown

	// turn is held by whoever makes calls on the connection's loop: holding it is
	// being the loop.
	turn  sync.Mutex
	posts driver.Queue // takes turns, too

	// Owned by the loop.
	conn       driver.Conn
	inputEnded bool // ReceiveEnd was called

	// Owned by the reading goroutine.
	reading rawRead

	// Owned by whoever is in Send.
	sending rawWrite

	mu       sync.Mutex
	changed  sync.Cond // paused or closed has changed
	paused   bool
	closed   bool
	watching bool // checkHangup is to come
	deadline driver.Instant
	timer    *time.Timer // for the deadline; nil before the first
}

func newSocket(d *Driver, nc net.Conn) *socket {
	if c, ok := nc.(*tls.Conn); ok {
		nc = tlsconn.New(c) // Close must not wait for the peer
	}
	s := &socket{driver: d, nc: nc, raw: rawConn(nc)}
	s.under = s.raw
	if c, ok := nc.(*tlsconn.Conn); ok {
		s.under = rawConn(c.NetConn())
	}
	s.changed.L = &s.mu
	s.posts.Turn = &s.turn
	s.reading.init()
	s.sending.init()
	return s
}

// accept has a make the connection, and reports whether it did. Whatever that
// leads to waits meanwhile.
func (s *socket) accept(a driver.Acceptor) bool {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.conn = a.Accept(s)
	s.inputEnded = s.conn == nil
	return s.conn != nil
}

// RemoteAddr implements driver.Socket.
func (s *socket) RemoteAddr() net.Addr { return s.nc.RemoteAddr() }

// Cork implements driver.Socket.
func (s *socket) Cork() {
	if _, ok := s.nc.(*net.TCPConn); ok {
		cork(s.raw)
	}
}

// CloseWrite implements driver.Socket.
func (s *socket) CloseWrite() {
	if c, ok := s.nc.(interface{ CloseWrite() error }); ok {
		// What fails here has failed altogether, and reading finds it.
		_ = c.CloseWrite()
	}
}

// Close implements driver.Socket.
func (s *socket) Close() {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.nc.Close()
}

// Post implements driver.Socket.
func (s *socket) Post(f func()) { s.posts.Post(f) }

// cause returns what an error of nc's means: net.ErrClosed if this side has closed
// it, whatever nc says then.
func (s *socket) cause(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	return err
}
