//go:build linux

package epoll_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// An expiring is a conn that says when its deadline has come.
type expiring struct {
	*conn
	expire func(now driver.Instant)
}

// Expire implements driver.Conn.
func (e expiring) Expire(now driver.Instant) {
	defer e.enter("Expire")()
	e.expire(now)
}

// Deadlines come in their order and none comes early, in whatever order they were set.
func TestDeadlineOrder(t *testing.T) {
	const n = 200
	type expiry struct{ due, now driver.Instant }
	var due [n]driver.Instant
	expired := make(chan expiry, n)
	sockets := make(chan driver.Socket, n)
	d := oneLoop()
	s := serve(t, d, accepting(func(s driver.Socket) driver.Conn {
		t.Cleanup(s.Close)
		i := len(sockets)
		sockets <- s
		return expiring{newConn(t, s), func(now driver.Instant) { expired <- expiry{due[i], now} }}
	}))
	for range n {
		dial(t, s.l)
	}
	eventually(t, "all are accepted", func() bool { return len(sockets) == n })
	// On the loop, so that it looks at all of them at once.
	d.FirstLoop().Post(func() {
		now := driver.Now()
		for i, place := range rand.Perm(n) {
			due[i] = now.After(time.Duration(place) * 100 * time.Microsecond)
			(<-sockets).SetDeadline(due[i])
		}
	})
	var order []driver.Instant
	for range n {
		e := receive(t, expired)
		if e.now < e.due {
			t.Errorf("a deadline came %v early", time.Duration(e.due-e.now))
		}
		order = append(order, e.due)
	}
	if !slices.IsSorted(order) {
		t.Errorf("the deadlines came in the order %v", order)
	}
}

// A deadline comes once, wherever it was before; one that has passed comes at once.
func TestDeadline(t *testing.T) {
	soon := func() driver.Instant { return driver.Now().After(time.Millisecond) }
	far := func() driver.Instant { return driver.Now().After(time.Hour) }
	for _, test := range []struct {
		name  string
		moves []func() driver.Instant
	}{
		{"set", []func() driver.Instant{soon}},
		{"passed", []func() driver.Instant{func() driver.Instant { return 1 }}},
		{"moved forward", []func() driver.Instant{far, soon}},
		{"moved both ways", []func() driver.Instant{far, func() driver.Instant { return 0 }, far, soon}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _ := show(t, oneLoop(), nil).open()
			for _, move := range test.moves {
				c.SetDeadline(move())
				c.turn()
			}
			c.expect("Expire")
			c.expectQuiet()
		})
	}
}

// A deadline that was taken back or moved in time does not come, nor does that of a closed connection.
func TestDeadlineTakenBack(t *testing.T) {
	for _, test := range []struct {
		name     string
		takeBack func(c *conn)
		then     []string
	}{
		{"taken back", func(c *conn) { c.SetDeadline(0) }, nil},
		{"moved back", func(c *conn) { c.SetDeadline(driver.Now().After(time.Hour)) }, nil},
		{"closed", func(c *conn) { c.Close() }, []string{"ReceiveEnd"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := show(t, oneLoop(), nil)
			for wait := 5 * time.Millisecond; ; wait *= 2 {
				c, _ := e.open()
				clock, _ := e.open()
				due := driver.Now().After(wait)
				c.SetDeadline(due)
				c.turn()
				test.takeBack(c)
				if driver.Now() >= due {
					continue // too late: on a slow machine it takes more time
				}
				clock.SetDeadline(due.After(1))
				clock.expect("Expire")
				for _, what := range test.then {
					c.expect(what)
				}
				c.expectQuiet()
				return
			}
		})
	}
}

// A deadline that is set when another has come comes as well.
func TestDeadlineAgain(t *testing.T) {
	c, _ := show(t, oneLoop(), nil).open()
	for range 20 {
		c.SetDeadline(driver.Now().After(time.Millisecond))
		c.expect("Expire")
	}
	c.expectQuiet()
}
