//go:build unix

package listen_test

import (
	"crypto/tls"
	"io"
	"syscall"
	"testing"
)

// An inherited TCP socket has TLS if there is a certificate, and an inherited Unix socket cannot have it.
func TestTLSInherited(t *testing.T) {
	f := newTLSFolder(t)
	taken := func(network string) int {
		t.Helper()
		fd, err := syscall.Dup(int(open(t, network, "127.0.0.1:0").file.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	l := mustListenTLS(t, fdAddr(taken("tcp")), f.options())
	peer := dial(t, l)
	go io.WriteString(tls.Client(peer, f.client()), "hello")
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	wantListenError(t, fdAddr(taken("unix")), f.options(), ": a Unix socket has no TLS")
}
