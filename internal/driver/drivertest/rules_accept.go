package drivertest

import (
	"io"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

var acceptRules = []rule{
	{"Accept may refuse a connection, which is closed", anywhere, func(t *testing.T, p place) {
		s := ServeTo(t, p.newDriver(0), Listen(t, p.network), Refuse)
		for range 3 {
			ExpectReadEnd(t, Dial(t, s.Listener))
		}
	}},

	{"Stop and closing the listener end Serve, and connections go on", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		c, peer := s.Open()
		for range 2 {
			s.Driver.Stop(s.Listener)
		}
		s.Listener.Close()
		s.ExpectServed()
		background(t, peer)([]byte("still here"))
		c.ExpectData("still here")
	}},

	{"closing the listener ends Serve", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		s.Open()
		s.Listener.Close()
		s.ExpectServed()
	}},

	{"Serve of a closed listener fails", anywhere, func(t *testing.T, p place) {
		l := Listen(t, p.network)
		l.Close()
		if err := p.newDriver(0).Serve(l, Refuse); err == nil {
			t.Error("Serve returned nil")
		}
	}},

	{"one driver serves several listeners", anywhere, func(t *testing.T, p place) {
		d := p.newDriver(0)
		var servers []*Server
		for range 3 {
			servers = append(servers, Serve(t, d, Listen(t, p.network), nil))
		}
		for i, s := range servers {
			for _, open := range servers[i:] {
				c, peer := open.Open()
				background(t, peer)([]byte("hello"))
				c.ExpectData("hello")
			}
			s.Stop()
		}
		for _, s := range servers {
			s.closeAll()
		}
	}},

	{"RemoteAddr is the peer's address", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		got, want := c.RemoteAddr(), peer.LocalAddr()
		if got.Network() != want.Network() || p.network == "tcp" && got.String() != want.String() {
			t.Errorf("RemoteAddr is %v, want %v", got, want)
		}
	}},

	{"a connection may be used from within Accept", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, func(c *Conn) {
			c.Post(func() { c.tell(Call{What: "posted"}) })
			c.SetDeadline(driver.Now().After(time.Hour))
			c.Send([]byte("early"), nil)
		})
		peer := Dial(t, s.Listener)
		ExpectRead(t, peer, "early")
		c := Take(t, s.Conns)
		for c.Next().What != "posted" {
		}
		io.WriteString(peer, "x")
	}},
}

// Accepting is an Acceptor that has nothing to say about failures.
type Accepting func(s driver.Socket) driver.Conn

// Accept implements driver.Acceptor.
func (f Accepting) Accept(s driver.Socket) driver.Conn { return f(s) }

// AcceptFailed implements driver.Acceptor.
func (Accepting) AcceptFailed(error, time.Duration) {}

// Refuse wants no connections.
var Refuse = Accepting(func(driver.Socket) driver.Conn { return nil })
