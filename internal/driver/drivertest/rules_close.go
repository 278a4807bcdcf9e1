package drivertest

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

var closeRules = []rule{
	{"Close ends both ways, and then every method does nothing", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		for range 2 {
			c.Close()
			c.CloseWrite()
			c.Pause()
			c.Resume()
			c.SetDeadline(1)
			ExpectReadEnd(t, peer)
			c.Turn()
		}
		c.ExpectEnd(net.ErrClosed)
		if err := c.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("sending after Close returned %v", err)
		}
		c.ExpectQuiet()
	}},

	{"Close within Receive keeps back what was there to read", anywhere, func(t *testing.T, p place) {
		arrived := make(chan int, 1000)
		s := p.serve(t, func(c *Conn) {
			c.OnReceive = func(p []byte) {
				c.Close()
				arrived <- len(p)
			}
		})
		c, peer := s.Open()
		background(t, peer)(Noise(3 * piece))
		c.ExpectEnd(net.ErrClosed)
		c.ExpectQuiet()
		if len(arrived) != 1 {
			t.Errorf("received %d times", len(arrived))
		}
		if _, err := peer.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is open")
		}
	}},

	{"Close within Accept, or a posted function, ends the connection", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		c, peer := s.Open()
		c.Post(c.Close)
		c.ExpectEnd(net.ErrClosed)
		ExpectReadEnd(t, peer)

		s = p.serve(t, (*Conn).Close)
		peer = Dial(t, s.Listener)
		ExpectReadEnd(t, peer)
		Take(t, s.Conns).ExpectEnd(net.ErrClosed)
	}},

	{"Close from any goroutine, again and again, is one ReceiveEnd", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		for range 50 {
			c, peer := s.Open()
			var all sync.WaitGroup
			for range 4 {
				all.Go(c.Close)
				all.Go(func() { c.SetDeadline(driver.Now().After(1)) })
			}
			all.Go(func() { peer.Close() })
			all.Wait()
			for c.Next().What != "ReceiveEnd" {
			}
			c.Turn()
			if calls := c.Calls(); len(calls) > 0 {
				t.Errorf("after ReceiveEnd came %+v", calls)
			}
		}
	}},
}
