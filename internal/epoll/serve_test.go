//go:build linux

package epoll_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// Stream sockets of TCP and Unix are served, and nothing else.
func TestServes(t *testing.T) {
	tcp := listenOn(t, "tcp", "127.0.0.1:0")
	for _, test := range []struct {
		name string
		l    net.Listener
		want bool
	}{
		{"TCP", tcp, true},
		{"Unix", listenUnix(t), true},
		{"listen.Listener", guarded(t, &listen.Options{}), true},
		{"packets", listenOn(t, "unixpacket", filepath.Join(shortDir(t), "s")), false},
		{"TLS", tls.NewListener(tcp, &tls.Config{}), false},
		{"wrapped", struct{ net.Listener }{tcp}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := epoll.Serves(test.l); got != test.want {
				t.Errorf("Serves returned %v, want %v", got, test.want)
			}
		})
	}
	if err := oneLoop().Serve(struct{ net.Listener }{tcp}, refuse); err == nil {
		t.Error("Serve served a listener that it can not")
	}
	tcp.Close()
	if err := oneLoop().Serve(tcp, refuse); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v for a listener that is closed", err)
	}
}

// Serve ends when it is stopped, or the listener closed. Connections go on.
func TestServeEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(e *exhibit)
	}{
		{"Stop", func(e *exhibit) { e.driver.Stop(e.l) }},
		{"Stop twice", func(e *exhibit) {
			e.driver.Stop(e.l)
			e.driver.Stop(e.l)
		}},
		{"Close", func(e *exhibit) { e.l.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := show(t, &epoll.Driver{}, nil)
			c, peer := e.open()
			test.end(e)
			if err := receive(t, e.served); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Serve returned %v", err)
			}
			e.served <- net.ErrClosed // for the end of the test
			io.WriteString(peer, "still here")
			c.expectData("still here")
		})
	}
}

// A listener that was stopped is as it was: it can be served again, and what came meanwhile is accepted.
func TestServeAgain(t *testing.T) {
	l := listenUnix(t)
	for _, round := range []string{"first", "second", "third"} {
		t.Run(round, func(t *testing.T) {
			io.WriteString(dial(t, l), "waiting")
			e := showOn(t, &epoll.Driver{}, l, nil)
			e.keep = true
			receive(t, e.conns).expectData("waiting")
		})
	}
}

// One driver serves several listeners. When accepting from one fails for good, Serve says so, and the others go on.
func TestServeSeveral(t *testing.T) {
	d := &epoll.Driver{Loops: 3}
	conns := make(chan *conn, 100)
	listeners := []net.Listener{listenUnix(t), listenOn(t, "tcp", "127.0.0.1:0"), listenOn(t, "tcp", "127.0.0.1:0")}
	served := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() {
			served <- d.Serve(l, accepting(func(s driver.Socket) driver.Conn {
				c := newConn(t, s)
				t.Cleanup(c.Close)
				conns <- c
				return c
			}))
		}()
	}
	for _, l := range listeners {
		greet(t, l, conns)
	}
	fd, _ := listen.Fd(listeners[2])
	unix.Shutdown(int(fd), unix.SHUT_RDWR)
	if err := receive(t, served); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Serve returned %v", err)
	}
	for _, l := range listeners[:2] {
		greet(t, l, conns)
		d.Stop(l)
		if err := receive(t, served); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	}
}

// greet makes a connection and sends something.
func greet(t *testing.T, l net.Listener, conns <-chan *conn) {
	t.Helper()
	peer, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	io.WriteString(peer, "hello")
	c := receive(t, conns)
	c.expectData("hello")
	if got, want := c.RemoteAddr().String(), peer.LocalAddr().String(); l.Addr().Network() == "tcp" && got != want {
		t.Errorf("RemoteAddr is %q, want %q", got, want)
	}
}

// A connection that the Acceptor does not want is closed.
func TestRefuse(t *testing.T) {
	s := serve(t, oneLoop(), refuse)
	for range 3 {
		expectReadEnd(t, dial(t, s.l))
	}
}

// refuse wants no connections.
var refuse = accepting(func(driver.Socket) driver.Conn { return nil })

// A listener's guard is asked about each connection, as the listener would have asked it.
func TestGuard(t *testing.T) {
	refused := make(chan string, 10)
	l := guarded(t, &listen.Options{AllowUIDs: []int{}, Refused: func(_ net.Addr, reason string) { refused <- reason }})
	s := serveOn(t, oneLoop(), l, accepting(func(driver.Socket) driver.Conn {
		t.Error("the connection was accepted")
		return nil
	}))
	expectReadEnd(t, dial(t, s.l))
	if reason := receive(t, refused); reason == "" {
		t.Error("no reason was given")
	}
}

// guarded makes a Unix socket with options.
func guarded(t *testing.T, opts *listen.Options) net.Listener {
	t.Helper()
	l, err := listen.Listen("unix:"+filepath.Join(shortDir(t), "s"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Serve, Stop, Close and connections in whatever order: Serve ends, and nothing is left of it.
func TestServeRaces(t *testing.T) {
	defer crowdThreads()()
	before := takeInventory()
	d := &epoll.Driver{Loops: 2}
	var all sync.WaitGroup
	for range 200 {
		l := listenUnix(t)
		all.Go(func() {
			if err := d.Serve(l, refuse); err == nil {
				t.Error("Serve returned nil")
			}
		})
		all.Go(func() { d.Stop(l) })
		all.Go(func() { d.FirstLoop().Post(func() {}) })
		all.Go(func() {
			if peer, err := net.Dial("unix", l.Addr().String()); err == nil {
				peer.Close()
			}
		})
		all.Go(func() { l.Close() })
	}
	all.Wait()
	before.expect(t)
}
