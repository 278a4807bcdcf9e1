package drivertest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
)

// Noise is text that no two pieces of which look the same.
func Noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// ExpectRead reads want at the peer's end.
func ExpectRead(t testing.TB, peer io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(peer, got); string(got) != want {
		t.Fatalf("read %s, %v; want %s", clip(got[:n]), err, clip([]byte(want)))
	}
}

// ExpectReadEnd reads the end of the connection at the peer's end.
func ExpectReadEnd(t testing.TB, peer io.Reader) {
	t.Helper()
	n, err := peer.Read(make([]byte, 1))
	if _, ok := peer.(*tlsPeer); ok && errors.Is(err, syscall.ECONNRESET) {
		err = io.EOF // the handshake was not read to its end
	}
	if n != 0 || err != io.EOF {
		t.Errorf("read %d bytes, %v; want the end", n, err)
	}
}

// CloseWrite closes the peer's half of a socket.
func CloseWrite(t testing.TB, peer net.Conn) {
	t.Helper()
	if err := peer.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
}

// background writes to the peer's end what it is given, in that order, without waiting until it is read. The end of the test
// closes the peer's end, and that ends it.
func background(t testing.TB, peer io.Writer) (write func(p []byte)) {
	pieces := make(chan []byte, 100)
	t.Cleanup(func() { close(pieces) })
	go func() {
		for p := range pieces {
			if _, err := peer.Write(p); err != nil {
				return
			}
		}
	}()
	return func(p []byte) { pieces <- p }
}

// clip makes a long text presentable.
func clip(p []byte) string {
	if len(p) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", p[:40], len(p))
	}
	return fmt.Sprintf("%q", p)
}
