package fcgi_test

import (
	"net"
	"net/http"
	stdlib "net/http/fcgi"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/fcgi"
)

// An implementation is what a program gets from one of the two imports.
type implementation struct {
	name       string
	serve      func(net.Listener, http.Handler) error
	processEnv func(*http.Request) map[string]string
	errAborted error
	errClosed  error
}

var (
	standard = implementation{"net/http/fcgi", stdlib.Serve, stdlib.ProcessEnv, stdlib.ErrRequestAborted, stdlib.ErrConnClosed}
	ours     = implementation{"fcgi", fcgi.Serve, fcgi.ProcessEnv, fcgi.ErrRequestAborted, fcgi.ErrConnClosed}
)

// both runs a test of what is the same with either import, in a bubble of testing/synctest.
func both(t *testing.T, test func(t *testing.T, impl implementation)) {
	for _, impl := range []implementation{standard, ours} {
		t.Run(impl.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, impl) })
		})
	}
}

// start serves h and returns a web server's end of a connection to it. It is for bubbles.
func (impl implementation) start(t *testing.T, h http.HandlerFunc) *web {
	near, far := net.Pipe()
	impl.serveConn(t, far, h)
	return newWeb(t, near)
}

// serveConn serves h on one connection, up to the end of the test.
func (impl implementation) serveConn(t *testing.T, conn net.Conn, h http.HandlerFunc) {
	l := newListener(conn)
	served := make(chan error)
	go func() { served <- impl.serve(l, h) }()
	t.Cleanup(func() {
		l.Close()
		<-served
	})
}

// A listener gives the connections that it was made with.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newListener(conns ...net.Conn) *listener {
	l := &listener{make(chan net.Conn, len(conns)), make(chan struct{})}
	for _, c := range conns {
		l.conns <- c
	}
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close may be called by the test as well as by Serve.
func (l *listener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
