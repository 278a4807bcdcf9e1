package drivertest

import (
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

var postRules = []rule{
	{"posted functions run in their order, after Post has returned", anywhere, func(t *testing.T, p place) {
		c, _ := p.open(t)
		inOrder(t, c.Post)
	}},

	{"functions that any goroutine posts run one at a time, beside nothing else on the loop", anywhere, func(t *testing.T, p place) {
		const posters, each = 8, 50
		s := p.serve(t, func(c *Conn) { c.OnReceive = func([]byte) {} })
		c, peer := s.Open()
		write := background(t, peer)
		ran := 0 // owned by the loop: the race detector watches it
		var posting, running sync.WaitGroup
		running.Add(posters * each)
		for range posters {
			posting.Go(func() {
				for range each {
					c.Post(func() {
						defer c.enter("a posted function")()
						ran++
						running.Done()
					})
				}
			})
		}
		for range each {
			write([]byte("x"))
		}
		posting.Wait()
		running.Wait()
		c.Turn()
		if ran != posters*each {
			t.Errorf("%d functions ran, want %d", ran, posters*each)
		}
	}},

	{"functions that end their goroutine keep no other from running", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		c, peer := s.Open()
		for _, loop := range []driver.Loop{c, s.Driver.Loop()} {
			for range 3 {
				loop.Post(runtime.Goexit)
			}
			inOrder(t, loop.Post)
		}
		background(t, peer)([]byte("hello"))
		c.ExpectData("hello")
	}},

	{"functions are run after the end, too", anywhere, func(t *testing.T, p place) {
		c, _ := p.open(t)
		c.Close()
		c.ExpectEnd(net.ErrClosed)
		inOrder(t, c.Post)
	}},

	{"a function that blocks on the driver's own loop delays no connection", anywhere, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		before, peerBefore := s.Open()
		loop := s.Driver.Loop()
		running, blocked := make(chan struct{}), make(chan struct{})
		loop.Post(func() {
			close(running)
			<-blocked
		})
		defer func() {
			close(blocked)
			inOrder(t, loop.Post)
		}()
		Take(t, running)
		after, peerAfter := s.Open()
		// Enough for each of a driver's loops to have some.
		for range 20 {
			s.Open()
		}
		for _, end := range []struct {
			c    *Conn
			peer net.Conn
		}{{before, peerBefore}, {after, peerAfter}} {
			background(t, end.peer)([]byte("hello"))
			end.c.ExpectData("hello")
			end.c.SetDeadline(past())
			end.c.Expect("Expire")
			end.c.Turn()
		}
	}},
}

// inOrder expects that posted functions run in their order, after Post has returned.
func inOrder(t *testing.T, post func(f func())) {
	t.Helper()
	var order []int
	done := make(chan struct{})
	post(func() {
		for i := range 10 {
			post(func() { order = append(order, i) })
		}
		order = append(order, -1)
		post(func() { close(done) })
	})
	Take(t, done)
	if want := []int{-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(order, want) {
		t.Errorf("functions ran in the order %v, want %v", order, want)
	}
}
