package goroutine

import (
	"net"
	"sync"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A socket is a net.Conn below the seam.
type socket struct {
	// Immutable.
	driver *Driver
	nc     net.Conn
	raw    syscall.RawConn // nil if nc has no descriptor to use directly
	conn   driver.Conn

	// turn is held by whoever makes calls on the connection's loop: holding it is
	// being the loop.
	turn  sync.Mutex
	posts driver.Queue // takes turns, too

	// Owned by the reading goroutine.
	reading rawRead

	// Owned by whoever is in Send.
	sending rawWrite

	mu       sync.Mutex
	changed  sync.Cond // paused or closed has changed
	paused   bool
	closed   bool
	watching bool // checkHangup is to come
}

func newSocket(d *Driver, nc net.Conn) *socket {
	s := &socket{driver: d, nc: nc, raw: rawConn(nc)}
	s.changed.L = &s.mu
	s.posts.Turn = &s.turn
	s.reading.init()
	s.sending.init()
	return s
}

// SetDeadline implements driver.Socket.
func (s *socket) SetDeadline(t driver.Instant) {
	// It fails on closed connections only.
	_ = s.nc.SetReadDeadline(t.Time())
}

// RemoteAddr implements driver.Socket.
func (s *socket) RemoteAddr() net.Addr { return s.nc.RemoteAddr() }

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
	s.mu.Unlock()
	s.nc.Close()
}

// Post implements driver.Socket.
func (s *socket) Post(f func()) { s.posts.Post(f) }
