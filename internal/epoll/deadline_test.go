//go:build linux

package epoll_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
)

// The deadlines of a loop's connections come in their order and none comes early, in whatever order they were set.
func TestDeadlineOrder(t *testing.T) {
	const n = 200
	type expiry struct{ due, now driver.Instant }
	due := make(map[*drivertest.Conn]driver.Instant) // owned by the loop
	expired := make(chan expiry, n)
	s := serve(t, oneLoop(), func(c *drivertest.Conn) {
		c.OnExpire = func(now driver.Instant) { expired <- expiry{due[c], now} }
	})
	var conns []*drivertest.Conn
	for range n {
		c, _ := s.Open()
		conns = append(conns, c)
	}
	// On the loop, so that it looks at all of them at once.
	conns[0].Post(func() {
		now := driver.Now()
		for i, place := range rand.Perm(n) {
			due[conns[i]] = now.After(time.Duration(place) * 100 * time.Microsecond)
			conns[i].SetDeadline(due[conns[i]])
		}
	})
	var order []driver.Instant
	for range n {
		e := drivertest.Take(t, expired)
		if e.now < e.due {
			t.Errorf("a deadline came %v early", time.Duration(e.due-e.now))
		}
		order = append(order, e.due)
	}
	if !slices.IsSorted(order) {
		t.Errorf("the deadlines came in the order %v", order)
	}
}
