package drivertest

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A piece is more than any driver reads at once.
const piece = 64<<10 + 1

var receiveRules = []rule{
	{"Receive is given all bytes in their order, and ReceiveEnd io.EOF", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		write := background(t, peer)
		before := driver.Now()
		write([]byte("early "))
		k := c.Expect("Receive")
		if now := driver.Now(); k.Now == 0 || k.Now > now {
			t.Errorf("Receive came at %d, between %d and %d", k.Now, before, now)
		}
		if k.Data != "early " {
			t.Errorf("received %q", k.Data)
		}
		body := Noise(16 * piece)
		write(body)
		c.ExpectData(string(body))
		peer.Close()
		c.ExpectEnd(io.EOF)
		c.ExpectQuiet()
	}},

	{"a connection that breaks ends with its error", sockets, func(t *testing.T, p place) {
		c, peer := p.open(t)
		c.MustWrite([]byte("read, unread"))
		ExpectRead(t, peer, "read")
		if tcp, ok := under(peer).(*net.TCPConn); ok {
			tcp.SetLinger(0) // TLS has read it all
		}
		under(peer).Close()
		if k := c.Expect("ReceiveEnd"); k.Err == nil || k.Err == io.EOF || errors.Is(k.Err, net.ErrClosed) {
			t.Errorf("ReceiveEnd was told %v", k.Err)
		}
	}},

	{"the peer may close its half, and is still sent to", sockets, func(t *testing.T, p place) {
		c, peer := p.open(t)
		CloseWrite(t, peer)
		c.ExpectEnd(io.EOF)
		c.MustWrite([]byte("answer"))
		ExpectRead(t, peer, "answer")
		c.CloseWrite()
		ExpectReadEnd(t, peer)
		c.ExpectQuiet()
	}},

	{"Cork holds back nothing that CloseWrite does not let go", sockets, func(t *testing.T, p place) {
		c, peer := p.open(t)
		c.Cork()
		c.MustWrite([]byte("goodbye"))
		c.CloseWrite()
		ExpectRead(t, peer, "goodbye")
		ExpectReadEnd(t, peer)
	}},
	{"CloseWrite closes one half, and the peer still sends", sockets, func(t *testing.T, p place) {
		c, peer := p.open(t)
		c.MustWrite([]byte("goodbye"))
		c.CloseWrite()
		ExpectRead(t, peer, "goodbye")
		ExpectReadEnd(t, peer)
		io.WriteString(peer, strings.Repeat("thanks", 3))
		c.ExpectData("thanksthanksthanks")
	}},
}
