//go:build linux

package epoll_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// patience is how long anything may take before a test gives up on it. It is no measure of what is fast enough.
const patience = 30 * time.Second

// accepting is an Acceptor.
type accepting func(s driver.Socket) driver.Conn

// Accept implements driver.Acceptor.
func (f accepting) Accept(s driver.Socket) driver.Conn { return f(s) }

// AcceptFailed implements driver.Acceptor.
func (accepting) AcceptFailed(error, time.Duration) {}

// A server is a Driver at work on one listener.
type server struct {
	t      testing.TB
	driver *epoll.Driver
	l      net.Listener
	served chan error // what Serve returned
	keep   bool       // the listener is not to be closed
}

// serve has d accept connections until the test ends. It then expects that those are closed by the test and nothing is left
// of the loops.
func serve(t testing.TB, d *epoll.Driver, a driver.Acceptor) *server {
	t.Helper()
	return serveOn(t, d, listenUnix(t), a)
}

func serveOn(t testing.TB, d *epoll.Driver, l net.Listener, a driver.Acceptor) *server {
	before := takeInventory()
	s := &server{t: t, driver: d, l: l, served: make(chan error, 1)}
	t.Cleanup(func() {
		s.stop()
		before.expect(t)
	})
	go func() { s.served <- d.Serve(l, a) }()
	return s
}

// stop ends accepting.
func (s *server) stop() {
	s.driver.Stop(s.l)
	if !s.keep {
		s.l.Close() // as well, in case that Serve has not begun
	}
	if err := receive(s.t, s.served); !errors.Is(err, net.ErrClosed) {
		s.t.Errorf("Serve returned %v", err)
	}
	s.served <- net.ErrClosed // for the next stop
}

// listenUnix makes a Unix socket.
func listenUnix(t testing.TB) net.Listener {
	t.Helper()
	return listenOn(t, "unix", filepath.Join(shortDir(t), "s"))
}

// listenOn listens until the test ends.
func listenOn(t testing.TB, network, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// shortDir is t.TempDir, which may be too long for a socket's address.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// dial makes a connection that ends with the test.
func dial(t testing.TB, l net.Listener) *net.UnixConn {
	t.Helper()
	peer, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	peer.SetDeadline(time.Now().Add(patience))
	return peer.(*net.UnixConn)
}

// An exhibit is a server whose connections the test looks at.
type exhibit struct {
	*server
	conns chan *conn
}

// show serves with d. Each connection is prepared before anything arrives on it, if that is not nil. The end of the test
// closes all.
func show(t testing.TB, d *epoll.Driver, prepare func(*conn)) *exhibit {
	return showOn(t, d, listenUnix(t), prepare)
}

func showOn(t testing.TB, d *epoll.Driver, l net.Listener, prepare func(*conn)) *exhibit {
	e := &exhibit{conns: make(chan *conn, 200)}
	e.server = serveOn(t, d, l, accepting(func(s driver.Socket) driver.Conn {
		c := newConn(t, s)
		t.Cleanup(c.Close)
		if prepare != nil {
			prepare(c)
		}
		e.conns <- c
		return c
	}))
	return e
}

// open makes a connection and returns both ends.
func (e *exhibit) open() (*conn, *net.UnixConn) {
	e.t.Helper()
	peer := dial(e.t, e.l)
	return receive(e.t, e.conns), peer
}

// oneLoop is a driver on whose connections everything happens in turn.
func oneLoop() *epoll.Driver { return &epoll.Driver{Loops: 1} }

// An inventory is what a process has.
type inventory struct{ goroutines, descriptors int }

func takeInventory() inventory {
	return inventory{runtime.NumGoroutine(), countDescriptors()}
}

// expect waits until there is no more than before.
func (before inventory) expect(t testing.TB) {
	t.Helper()
	if !eventually(t, "goroutines and descriptors are as many as before", func() bool {
		now := takeInventory()
		return now.goroutines <= before.goroutines && now.descriptors <= before.descriptors
	}) {
		t.Logf("before %+v, now %+v\n%s", before, takeInventory(), stacks())
	}
}

// countDescriptors counts sockets and epoll descriptors, with the one of Go's own poller.
func countDescriptors() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if strings.HasPrefix(target, "socket:") || target == "anon_inode:[eventpoll]" {
			n++
		}
	}
	return n
}

// stacks returns the stacks of all goroutines, with their states.
func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// eventually waits until something has come true, and reports whether it has.
func eventually(t testing.TB, what string, is func() bool) bool {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Errorf("gave up waiting until %s", what)
			return false
		}
	}
	return true
}

// receive takes a value from a channel.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("gave up waiting for a %T\n%s", *new(T), stacks())
		panic("unreachable")
	}
}

// hold keeps the first loop of d from doing anything until release is called.
func hold(d *epoll.Driver) (release func()) {
	held, released := make(chan struct{}), make(chan struct{})
	d.FirstLoop().Post(func() {
		close(held)
		<-released
	})
	<-held
	return func() { close(released) }
}

// crowdThreads makes it likely that something happens between any two instructions, until undo is called: with more threads
// than processors the system interrupts them anywhere. A driver that was made to let go of its mutex for an instant before it
// writes was found out by TestShortConnections in two runs of three that way, and in none with a thread for each processor.
func crowdThreads() (undo func()) {
	procs := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	return func() { runtime.GOMAXPROCS(procs) }
}
