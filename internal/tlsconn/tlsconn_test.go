package tlsconn_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
	"github.com/simple-fastcgi/fastcgi/internal/tlsconn"
)

func TestMain(m *testing.M) { leak.Main(m) }

func configs(t *testing.T) (server, client *tls.Config) {
	authority := certstest.NewAuthority(t, "test")
	return &tls.Config{Certificates: []tls.Certificate{authority.Pair("localhost").TLS(t)}},
		&tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}
}

// shaken returns both ends of a pipe with TLS over it. Wait waits until the first byte that arrived was read.
func shaken(t *testing.T, wait func()) (*tlsconn.Conn, *tls.Conn) {
	t.Helper()
	server, client := configs(t)
	server.SessionTicketsDisabled = true // nobody reads them
	far, near := net.Pipe()
	c, peer := tlsconn.Server(far, server, nil), tls.Client(near, client)
	go c.Read(make([]byte, 1))
	if err := peer.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	wait()
	return c, peer
}

// A pipe takes nothing unless its peer reads, and this one does not: Close does not wait for it, and a second later the
// connection is closed all the same.
func TestCloseWithoutPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := shaken(t, synctest.Wait)
		start := time.Now()
		c.Close()
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := peer.NetConn().Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("a second later the connection is open: %v", err)
		}
	})
}

// Nor does it where another alert is in its way, with a lock of package tls.
func TestCloseBehindCloseWrite(t *testing.T) {
	c, peer := shaken(t, func() {})
	c.CloseWrite()
	c.Close()
	// Waits for the event, which comes within a second. The clock of a bubble would stand still meanwhile.
	peer.NetConn().SetDeadline(time.Now().Add(20 * time.Second))
	var err error
	for err == nil {
		_, err = peer.NetConn().Write([]byte("x"))
	}
	if err != io.ErrClosedPipe {
		t.Errorf("the connection is open: %v", err)
	}
}

// Both ends of a connection end as with TCP: the peer reads the end.
func TestEndIsRead(t *testing.T) {
	for name, end := range map[string]func(*tlsconn.Conn) error{"Close": (*tlsconn.Conn).Close, "CloseWrite": (*tlsconn.Conn).CloseWrite} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := shaken(t, synctest.Wait)
			defer c.Close()
			if err := end(c); err != nil {
				t.Error(err)
			}
			if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: the peer has read %v", name, err)
			}
		})
	}
}

// Close is done for its caller, even though its goroutine may still have to begin.
func TestNothingAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := shaken(t, synctest.Wait)
		c.Close()
		if _, err := c.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
}

// A handshake that fails is told once and in words; one that never began, or that this side has ended, is not.
func TestFailedHandshake(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(c *tlsconn.Conn, peer net.Conn)
		says string
	}{
		{"plain text", func(_ *tlsconn.Conn, peer net.Conn) { io.WriteString(peer, "\x01\x01\x00\x01\x00\x08\x00\x00") }, "the peer does not speak TLS"},
		{"distrust", func(_ *tlsconn.Conn, peer net.Conn) { tls.Client(peer, &tls.Config{ServerName: "x"}).Handshake() }, "TLS handshake: remote error"},
		{"nothing", func(_ *tlsconn.Conn, peer net.Conn) { peer.Close() }, ""},
		{"closed here", func(c *tlsconn.Conn, _ net.Conn) { c.Close() }, ""},
	} {
		server, _ := configs(t)
		far, near := certstest.Connect(t)
		var told []error
		c := tlsconn.Server(far, server, func(err error) { told = append(told, err) })
		go func() {
			defer near.Close()
			tt.do(c, near)
		}()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
		c.Read(make([]byte, 1))
		c.Close()
		switch {
		case tt.says == "" && len(told) > 0:
			t.Errorf("%s: told %v", tt.name, told)
		case tt.says != "" && (len(told) != 1 || !strings.Contains(told[0].Error(), tt.says)):
			t.Errorf("%s: told %v, want %q", tt.name, told, tt.says)
		}
	}
}

// A peer that is refused, and has sent its first request behind the handshake, reads why.
func TestRefusalIsRead(t *testing.T) {
	server, client := configs(t)
	server.ClientAuth = tls.RequireAnyClientCert
	far, near := certstest.Connect(t)
	c := tlsconn.Server(far, server, func(error) {})
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("it was not refused")
		}
	}()
	peer := tls.Client(near, client)
	if _, err := peer.Write(make([]byte, 10_000)); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("the peer has read %v", err)
	}
	peer.Close()
	<-done
}
