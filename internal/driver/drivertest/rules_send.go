package drivertest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// backlog is more than a socket takes at once.
const backlog = 8 << 20

var sendRules = []rule{
	{"what the socket does not take at once is written as the peer reads", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		for range 3 {
			body := Noise(backlog)
			c.Leave(body)
			ExpectRead(t, peer, string(body))
			c.ExpectSent(nil)
			read := make(chan struct{})
			go func() {
				ExpectRead(t, peer, "and more")
				close(read)
			}()
			c.MustWrite([]byte("and more"))
			Take(t, read)
		}
		c.ExpectQuiet()
	}},

	{"the head, the body, or both may be left to the driver", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		body := Noise(backlog)
		for _, cut := range []int{0, 1, 1000, backlog / 2, backlog - 1, backlog} {
			if done, err := c.Send(body[:cut], body[cut:]); done || err != nil {
				t.Errorf("Send returned %v, %v", done, err)
			}
			ExpectRead(t, peer, string(body))
			c.ExpectSent(nil)
		}
	}},

	{"the memory may be used again when Send is done, or after Sent", anywhere, func(t *testing.T, p place) {
		const rounds, size = 50, 100_000
		c, peer := p.open(t)
		read := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(io.LimitReader(peer, rounds*size))
			read <- all
		}()
		buf := make([]byte, size)
		for i := range rounds {
			for at := range buf {
				buf[at] = byte(i)
			}
			c.MustWrite(buf)
			clear(buf)
		}
		for at, b := range Take(t, read) {
			if want := byte(at / size); b != want {
				t.Fatalf("byte %d is %d, want %d", at, b, want)
			}
		}
	}},

	{"Keep gives the body back, whatever is left of it, and it is sent all the same", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		for _, read := range []int{0, 1000} {
			body := Noise(backlog)
			want := string(body)
			if done, err := c.Send(body[:10], body[10:]); done || err != nil {
				t.Fatalf("Send returned %v, %v", done, err)
			}
			ExpectRead(t, peer, want[:read])
			c.Keep()
			clear(body[10:])
			ExpectRead(t, peer, want[read:])
			c.ExpectSent(nil)
			c.Keep() // when there is nothing to keep
		}
	}},

	{"Send works on the loop, while paused, and after the peer's end", anywhere, func(t *testing.T, p place) {
		body := Noise(backlog)
		for _, before := range []func(c *Conn, peer net.Conn){
			func(*Conn, net.Conn) {},
			func(c *Conn, _ net.Conn) { c.Pause() },
			func(c *Conn, peer net.Conn) {
				if sockets(p.network) {
					CloseWrite(t, peer)
					c.ExpectEnd(io.EOF)
				}
			},
		} {
			c, peer := p.open(t)
			before(c, peer)
			c.Post(func() { c.Leave(body) })
			ExpectRead(t, peer, string(body))
			c.ExpectSent(nil)
		}
	}},

	{"Send works within Accept", anywhere, func(t *testing.T, p place) {
		body := Noise(backlog)
		c, peer := p.serve(t, func(c *Conn) { c.Leave(body) }).Open()
		ExpectRead(t, peer, string(body))
		c.ExpectSent(nil)
	}},

	{"sending to a peer that is gone is an error", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		peer.Close()
		c.ExpectEnd(io.EOF)
		// TCP learns of it from the answer to the first.
		for err := error(nil); err == nil; {
			err = c.Write([]byte("x"))
		}
	}},

	{"a peer that goes ends what Send has left", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		c.Leave(Noise(backlog))
		peer.Close()
		expectBoth(t, c, func(sent error) bool { return sent != nil })
	}},

	{"Close ends what Send has left", anywhere, func(t *testing.T, p place) {
		c, _ := p.open(t)
		c.Leave(Noise(backlog))
		c.Close()
		expectBoth(t, c, func(sent error) bool { return sent == net.ErrClosed })
		c.ExpectQuiet()
	}},

	{"Send may meet Close, from any goroutine", anywhere, func(t *testing.T, p place) {
		defer CrowdThreads()()
		s := p.serve(t, nil)
		for round := range 200 {
			c, peer := s.Open()
			var all sync.WaitGroup
			all.Go(func() {
				for {
					done, err := c.Send(make([]byte, 1000), make([]byte, 10_000))
					for !done {
						k := c.Next()
						done, err = k.What == "Sent", k.Err
					}
					if err != nil {
						return
					}
				}
			})
			all.Go(func() { io.CopyN(io.Discard, peer, int64(round*1000)); c.Close() })
			all.Wait()
		}
	}},

	{"no connection ever gets bytes of another, or loses its own", sockets, func(t *testing.T, p place) {
		visits := 2000
		if p.network == "tls" {
			visits = 200 // a handshake takes its time
		}
		Crowd(t, p.newDriver(0), Listen(t, p.network), visits)
	}},
}

// expectBoth waits for Sent and ReceiveEnd, in whatever order.
func expectBoth(t *testing.T, c *Conn, isRight func(sent error) bool) {
	t.Helper()
	var seen [2]bool
	for range seen {
		switch k := c.Next(); k.What {
		case "Sent":
			seen[0] = true
			if !isRight(k.Err) {
				t.Errorf("Sent was told %v", k.Err)
			}
		case "ReceiveEnd":
			seen[1] = true
		default:
			t.Errorf("the driver called %+v", k)
		}
	}
	if !seen[0] || !seen[1] {
		t.Error("Sent or ReceiveEnd is missing")
	}
}
