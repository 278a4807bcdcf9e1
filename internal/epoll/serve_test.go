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
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// Stream sockets of TCP and Unix are served, and nothing else.
func TestServes(t *testing.T) {
	tcp := drivertest.ListenOn(t, "tcp", "127.0.0.1:0")
	for _, test := range []struct {
		name string
		l    net.Listener
		want bool
	}{
		{"TCP", tcp, true},
		{"Unix", drivertest.Listen(t, "unix"), true},
		{"listen.Listener", guarded(t, &listen.Options{}), true},
		{"packets", drivertest.ListenOn(t, "unixpacket", filepath.Join(drivertest.ShortDir(t), "s")), false},
		{"TLS", tls.NewListener(tcp, &tls.Config{}), false},
		{"wrapped", struct{ net.Listener }{tcp}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := epoll.Serves(test.l); got != test.want {
				t.Errorf("Serves returned %v, want %v", got, test.want)
			}
		})
	}
	if err := oneLoop().Serve(struct{ net.Listener }{tcp}, drivertest.Refuse); err == nil {
		t.Error("Serve served a listener that it cannot")
	}
	tcp.Close()
	if err := oneLoop().Serve(tcp, drivertest.Refuse); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v for a listener that is closed", err)
	}
}

// A listener that was stopped is as it was: it can be served again, and what came meanwhile is accepted.
func TestServeAgain(t *testing.T) {
	l := drivertest.Listen(t, "unix")
	for _, round := range []string{"first", "second", "third"} {
		t.Run(round, func(t *testing.T) {
			io.WriteString(drivertest.Dial(t, l), "waiting")
			e := drivertest.Serve(t, &epoll.Driver{}, l, nil)
			e.Keep = true
			drivertest.Take(t, e.Conns).ExpectData("waiting")
		})
	}
}

// When accepting from a listener fails for good, Serve says so, and others go on.
func TestServeFails(t *testing.T) {
	d := &epoll.Driver{Loops: 3}
	good := serve(t, d, nil)
	bad := drivertest.Listen(t, "tcp")
	served := make(chan error, 1)
	go func() { served <- d.Serve(bad, drivertest.Refuse) }()
	drivertest.ExpectReadEnd(t, drivertest.Dial(t, bad))
	fd, _ := listen.Fd(bad)
	unix.Shutdown(int(fd), unix.SHUT_RDWR)
	if err := drivertest.Take(t, served); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Serve returned %v", err)
	}
	c, peer := good.Open()
	io.WriteString(peer, "hello")
	c.ExpectData("hello")
}

// A listener's guard is asked about each connection, as the listener would have asked it.
func TestGuard(t *testing.T) {
	refused := make(chan string, 10)
	l := guarded(t, &listen.Options{AllowUIDs: []int{}, Refused: func(_ net.Addr, reason string) { refused <- reason }})
	s := drivertest.ServeTo(t, oneLoop(), l, drivertest.Accepting(func(driver.Socket) driver.Conn {
		t.Error("the connection was accepted")
		return nil
	}))
	drivertest.ExpectReadEnd(t, drivertest.Dial(t, s.Listener))
	if reason := drivertest.Take(t, refused); reason == "" {
		t.Error("no reason was given")
	}
}

// guarded makes a Unix socket with options.
func guarded(t *testing.T, opts *listen.Options) net.Listener {
	t.Helper()
	l, err := listen.Listen("unix:"+filepath.Join(drivertest.ShortDir(t), "s"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Serve, Stop, Close and connections in whatever order: Serve ends, and nothing is left of it.
func TestServeRaces(t *testing.T) {
	defer drivertest.CrowdThreads()()
	before := drivertest.TakeInventory()
	d := &epoll.Driver{Loops: 2}
	var all sync.WaitGroup
	for range 200 {
		l := drivertest.Listen(t, "unix")
		all.Go(func() {
			if err := d.Serve(l, drivertest.Refuse); err == nil {
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
	before.Expect(t)
}
