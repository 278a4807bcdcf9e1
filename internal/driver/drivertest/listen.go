package drivertest

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Listen makes a listener that is closed when the test ends: "unix", "tcp", "tls" over TCP, or "pipe", whose connections are
// those of net.Pipe.
func Listen(t testing.TB, network string) net.Listener {
	t.Helper()
	switch network {
	case "pipe":
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		t.Cleanup(func() { l.Close() })
		return l
	case "tcp":
		return ListenOn(t, network, "127.0.0.1:0")
	case "tls":
		return newTLSListener(t)
	}
	return ListenOn(t, network, filepath.Join(ShortDir(t), "s"))
}

// ListenOn listens on an address of package net's until the test ends.
func ListenOn(t testing.TB, network, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// ShortDir is t.TempDir, which may be too long for a socket's address.
func ShortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Dial makes a connection that ends with the test. However fast the peer reads, its socket takes no more than some 64 KiB
// ahead of that.
func Dial(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	peer, err := dial(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if tcp, ok := under(peer).(*net.TCPConn); ok {
		tcp.SetReadBuffer(64 << 10)
	}
	peer.SetDeadline(time.Now().Add(giveUp))
	return peer
}

func dial(l net.Listener) (net.Conn, error) {
	switch l := l.(type) {
	case *pipeListener:
		return l.dial()
	case *tlsListener:
		return l.dial()
	}
	return net.Dial(l.Addr().Network(), l.Addr().String())
}

// A pipeListener accepts one end of a net.Pipe for each dial.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

func (l *pipeListener) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// A pipeAddr is the address of a pipeListener.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
