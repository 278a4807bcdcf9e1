package fastcgi_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// A driver is a way to run a Server, and the networks that it takes.
type driver struct {
	name     fastcgi.Driver
	networks []string
}

// drivers are all there are. Everything that runs everywhere runs on each.
var drivers = []driver{
	{fastcgi.DriverGoroutine, []string{"pipe", "unix", "tcp"}},
	{fastcgi.DriverLoop, []string{"unix", "tcp"}},
}

// A place is where a test runs: a driver and a network.
type place struct {
	driver  driver
	network string
}

// everywhere runs a test on every driver and network.
func everywhere(t *testing.T, test func(t *testing.T, p place)) {
	on(t, test, "pipe", "unix", "tcp")
}

// onSockets is everywhere, but where a connection can be closed by halves.
func onSockets(t *testing.T, test func(t *testing.T, p place)) {
	on(t, test, "unix", "tcp")
}

// onUnix runs a test on every driver, over a Unix socket.
func onUnix(t *testing.T, test func(t *testing.T, p place)) { on(t, test, "unix") }

func on(t *testing.T, test func(t *testing.T, p place), networks ...string) {
	for _, d := range drivers {
		for _, n := range d.networks {
			for _, wanted := range networks {
				if n == wanted {
					t.Run(string(d.name)+"/"+n, func(t *testing.T) { test(t, place{d, n}) })
				}
			}
		}
	}
}

// onTLS is the place for connections with TLS, which one driver takes.
var onTLS = place{drivers[0], "tls"}

// inBubble is the place for tests with a clock of their own, where nothing is given up.
var inBubble = place{drivers[0], "bubble"}

// An app is a Server at work.
type app struct {
	*fastcgi.Server
	t       testing.TB
	log     *journal
	network string
	l       net.Listener
	served  chan error // what Serve returned
}

// serve starts srv. The end of the test closes it and waits for its connections and requests to end.
func (p place) serve(t testing.TB, srv *fastcgi.Server) *app {
	t.Helper()
	return p.serveOn(t, srv, p.listen(t))
}

func (p place) serveOn(t testing.TB, srv *fastcgi.Server, l net.Listener) *app {
	srv.Driver = p.driver.name
	if p.network != "bubble" && srv.FirstByteTimeout == 0 {
		srv.FirstByteTimeout = patience // a test that is kept waiting is no slow web server
	}
	a := &app{Server: srv, t: t, log: new(journal), network: p.network, l: l, served: make(chan error, 1)}
	srv.ErrorLog = slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() { a.served <- srv.Serve(a.l) }()
	t.Cleanup(a.stop)
	return a
}

func (a *app) stop() {
	a.Close()
	if err := <-a.served; !errors.Is(err, fastcgi.ErrServerClosed) {
		a.t.Errorf("Serve returned %v", err)
	}
	if a.t.Failed() {
		a.t.Logf("log:\n%s", a.log)
		return // with handlers that may be waiting for the test
	}
	eventually(a.t, "no connection and no request is left", func() bool {
		s := a.Stats()
		return s.OpenConns == 0 && s.ActiveRequests == 0 && s.BufferedBytes == 0 && s.SpooledBytes == 0
	})
}

func (p place) listen(t testing.TB) net.Listener {
	t.Helper()
	var l net.Listener
	var err error
	switch p.network {
	case "pipe", "bubble":
		return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	case "unix":
		// t.TempDir may be too long for a socket's address.
		dir, e := os.MkdirTemp("", "")
		if e != nil {
			t.Fatal(e)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		l, err = net.Listen("unix", filepath.Join(dir, "s"))
	case "tls":
		return listenTLS(t, &fastcgi.ListenOptions{})
	case "tcp":
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// connect makes a connection to the server.
func (a *app) connect() (net.Conn, error) {
	switch l := a.l.(type) {
	case *pipeListener:
		return l.dial()
	case *tlsListener:
		return tls.Dial("tcp", l.Addr().String(), l.client)
	}
	addr := a.l.Addr()
	return net.Dial(addr.Network(), addr.String())
}

// patience is how long anything may take before a test gives up on it. It is no measure of what is fast enough.
const patience = 20 * time.Second

// dial makes a connection that ends with the test.
func (a *app) dial(t testing.TB) *web {
	t.Helper()
	conn, err := a.connect()
	if err != nil {
		t.Fatal(err)
	}
	if a.network != "bubble" {
		conn.SetDeadline(time.Now().Add(patience))
	}
	t.Cleanup(func() { conn.Close() })
	return newWeb(t, conn)
}

// A pipeListener accepts the ends of net.Pipe.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial() (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, io.ErrClosedPipe
	}
}

// A journal is a log that can be looked at.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// expect waits for a line with all of words in it.
func (j *journal) expect(t testing.TB, words ...string) {
	t.Helper()
	eventually(t, "the log has a line with "+strings.Join(words, ", "), func() bool {
		for line := range strings.Lines(j.String()) {
			if containsAll(line, words) {
				return true
			}
		}
		return false
	})
}

func containsAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

// eventually waits until something has come true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Errorf("gave up waiting until %s", what)
			return
		}
	}
}

// receive takes a value from a channel that a handler sends to.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("gave up waiting for a handler")
		panic("unreachable")
	}
}

// reused returns a server with the settings of another, for one more run.
func reused(srv *fastcgi.Server) *fastcgi.Server {
	return &fastcgi.Server{Handler: srv.Handler, AsyncHandler: srv.AsyncHandler}
}
