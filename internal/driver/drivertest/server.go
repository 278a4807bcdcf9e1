package drivertest

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A Server is a driver at work on one listener.
type Server struct {
	Driver   driver.Driver
	Listener net.Listener
	Served   chan error // what Serve returned
	Keep     bool       // the listener is not to be closed
	Conns    chan *Conn // that were accepted

	t       testing.TB
	prepare func(*Conn)

	mu    sync.Mutex
	all   []*Conn
	clock *clock
}

// Serve has d accept connections until the test ends. Each is prepared before anything arrives on it, if that is not nil.
// The end of the test closes all of them, and expects that the driver has made the calls that it owed to them, and that
// nothing is left of it.
func Serve(t testing.TB, d driver.Driver, l net.Listener, prepare func(*Conn)) *Server {
	s := &Server{t: t, Driver: d, Listener: l, Conns: make(chan *Conn, 1000), prepare: prepare}
	s.serve(s)
	return s
}

// ServeTo is Serve for an Acceptor of the test's, which sees to the end of its connections.
func ServeTo(t testing.TB, d driver.Driver, l net.Listener, a driver.Acceptor) *Server {
	s := &Server{t: t, Driver: d, Listener: l}
	s.serve(a)
	return s
}

func (s *Server) serve(a driver.Acceptor) {
	before := TakeInventory()
	s.Served = make(chan error, 1)
	s.t.Cleanup(func() {
		s.Stop()
		s.closeAll()
		before.Expect(s.t)
	})
	go func() { s.Served <- s.Driver.Serve(s.Listener, a) }()
}

// Accept implements driver.Acceptor.
func (s *Server) Accept(sock driver.Socket) driver.Conn {
	c := newConn(s, sock)
	s.mu.Lock()
	s.all = append(s.all, c)
	clock := s.clock
	s.mu.Unlock()
	if clock != nil && clock.accept(c) {
		return c
	}
	if s.prepare != nil {
		s.prepare(c)
	}
	s.Conns <- c
	return c
}

// AcceptFailed implements driver.Acceptor.
func (s *Server) AcceptFailed(err error, _ time.Duration) { s.t.Errorf("cannot accept: %v", err) }

// Open makes a connection and returns both ends. By then all of the driver is there that will be: a test may count what the
// process has, or take from it what is left. A driver of several parts says so in an AllStarted of its tests'.
func (s *Server) Open() (*Conn, net.Conn) {
	s.t.Helper()
	if d, ok := s.Driver.(interface{ AllStarted() bool }); ok {
		Eventually(s.t, "all of the driver has started", d.AllStarted)
	}
	peer := Dial(s.t, s.Listener)
	shakeHands(s.t, peer)
	return Take(s.t, s.Conns), peer
}

// Stop ends accepting.
func (s *Server) Stop() {
	s.t.Helper()
	s.Driver.Stop(s.Listener)
	if !s.Keep {
		s.Listener.Close()
	}
	s.ExpectServed()
}

// ExpectServed waits until Serve returns, as it must when it was stopped.
func (s *Server) ExpectServed() {
	s.t.Helper()
	if err := Take(s.t, s.Served); !errors.Is(err, net.ErrClosed) {
		s.t.Errorf("Serve returned %v", err)
	}
	s.Served <- net.ErrClosed // for the next to ask
}

// closeAll closes all connections, and waits until each has had its last call.
func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		c.Close()
		Eventually(s.t, "a connection that was closed has had ReceiveEnd, and Sent if it was owed", c.over)
	}
}

// A clock is a connection for the sake of knowing that what happened before has been acted on.
type clock struct {
	ticks chan struct{}
	peer  net.Conn
	once  sync.Once
}

// accept makes c the clock's connection, if it has none.
func (k *clock) accept(c *Conn) (ok bool) {
	k.once.Do(func() {
		c.OnReceive = func([]byte) { k.ticks <- struct{}{} }
		ok = true
	})
	return ok
}

// tick waits until something that happens now was acted on.
func (s *Server) tick() {
	s.t.Helper()
	s.mu.Lock()
	k := s.clock
	if k == nil {
		k = &clock{ticks: make(chan struct{}, 1)}
		s.clock = k
	}
	s.mu.Unlock()
	if k.peer == nil {
		k.peer = Dial(s.t, s.Listener)
	}
	if _, err := k.peer.Write([]byte("x")); err != nil {
		s.t.Fatalf("the clock has stopped: %v", err)
	}
	Take(s.t, k.ticks)
}
