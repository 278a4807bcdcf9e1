package drivertest

import (
	"io"
	"net"
	"testing"
)

var pauseRules = []rule{
	{"after Pause comes one Receive at most, and after Resume the rest", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		write := background(t, peer)
		c.Pause()
		var got, want string
		for _, text := range []string{"first ", "second ", "third "} {
			write([]byte(text))
			want += text
			c.Settle()
		}
		calls := c.Calls()
		if len(calls) > 1 {
			t.Errorf("after Pause came %+v", calls)
		}
		for _, k := range calls {
			got += k.Data
		}
		c.Resume()
		c.ExpectData(want[len(got):])
		c.ExpectQuiet()
	}},

	{"after Pause within Receive comes none until Resume", anywhere, func(t *testing.T, p place) {
		arrived := make(chan int, 1000)
		s := p.serve(t, func(c *Conn) {
			c.OnReceive = func(p []byte) {
				c.Pause()
				arrived <- len(p)
			}
		})
		c, peer := s.Open()
		background(t, peer)(Noise(3 * piece))
		for left := 3 * piece; left > 0; {
			left -= Take(t, arrived)
			if left < 2*piece { // and not each time: it takes a while
				c.ExpectQuiet()
			}
			if len(arrived) > 0 {
				t.Fatal("received while paused")
			}
			c.Resume()
		}
	}},

	{"Resume right behind Pause loses nothing", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		write := background(t, peer)
		for range 100 {
			c.Pause()
			write([]byte("x"))
			c.Resume()
			c.ExpectData("x")
		}
	}},

	{"Hangup says that the peer is gone while reading is paused", whereHangups, func(t *testing.T, p place) {
		for _, hangup := range []func(peer net.Conn){
			func(peer net.Conn) { peer.Close() },
			func(peer net.Conn) { CloseWrite(t, peer) },
		} {
			c, peer := p.open(t)
			c.Pause()
			io.WriteString(peer, "rest")
			hangup(peer)
			hangups := 0
			var got string
			for {
				k := c.Next()
				if k.What == "Hangup" {
					hangups++
					c.Resume()
				}
				got += k.Data
				if k.What == "ReceiveEnd" {
					if k.Err != io.EOF {
						t.Errorf("ReceiveEnd was told %v", k.Err)
					}
					break
				}
			}
			if got != "rest" || hangups == 0 {
				t.Errorf("received %q, and %d times Hangup", got, hangups)
			}
			c.ExpectQuiet()
		}
	}},

	{"Pause after the end causes no Hangup", sockets, func(t *testing.T, p place) {
		c, peer := p.open(t)
		CloseWrite(t, peer)
		c.ExpectEnd(io.EOF)
		c.Pause()
		c.ExpectQuiet()
	}},

	{"Close ends a paused connection", anywhere, func(t *testing.T, p place) {
		c, _ := p.open(t)
		c.Pause()
		c.Turn()
		c.Close()
		c.ExpectEnd(net.ErrClosed)
		c.ExpectQuiet()
	}},
}
