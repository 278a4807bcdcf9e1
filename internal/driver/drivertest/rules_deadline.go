package drivertest

import (
	"io"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

func soon() driver.Instant { return driver.Now().After(time.Millisecond) }
func far() driver.Instant  { return driver.Now().After(time.Hour) }
func none() driver.Instant { return 0 }
func past() driver.Instant { return 1 }

var deadlineRules = []rule{
	{"Expire comes once, not before the deadline, wherever that was before", anywhere, func(t *testing.T, p place) {
		for _, moves := range [][]func() driver.Instant{
			{soon}, {past}, {far, soon}, {far, none, far, soon}, {far, past},
		} {
			c, _ := p.open(t)
			var due driver.Instant
			for _, move := range moves {
				due = move()
				c.SetDeadline(due)
				c.Turn()
			}
			if k := c.Expect("Expire"); k.Now < due {
				t.Errorf("Expire came %v early", time.Duration(due-k.Now))
			}
			c.ExpectQuiet()
		}
	}},

	{"a deadline may be set when another has come", anywhere, func(t *testing.T, p place) {
		c, _ := p.open(t)
		for range 20 {
			c.SetDeadline(soon())
			c.Expect("Expire")
		}
		c.ExpectQuiet()
	}},

	{"a deadline may be set within Expire", anywhere, func(t *testing.T, p place) {
		expired := make(chan driver.Instant, 100)
		var due driver.Instant // owned by the loop
		s := p.serve(t, func(c *Conn) {
			c.OnExpire = func(now driver.Instant) {
				if now < due {
					t.Errorf("Expire came %v early", time.Duration(due-now))
				}
				due = now.After(time.Millisecond)
				c.SetDeadline(due)
				expired <- now
			}
		})
		c, _ := s.Open()
		c.SetDeadline(past())
		for range 10 {
			Take(t, expired)
		}
		c.Post(func() { c.OnExpire = func(driver.Instant) {} })
		c.Turn()
	}},

	{"Expire comes while reading is paused", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		c.Pause()
		c.Turn()
		c.SetDeadline(soon())
		c.Expect("Expire")
		c.Resume()
		background(t, peer)([]byte("x"))
		c.ExpectData("x")
	}},

	{"a deadline that was taken back in time does not come", anywhere, func(t *testing.T, p place) {
		takeBack(t, p, func(c *Conn) { c.SetDeadline(0) })
		takeBack(t, p, func(c *Conn) { c.SetDeadline(far()) })
		takeBack(t, p, func(c *Conn) {
			c.Close()
			c.Expect("ReceiveEnd")
		})
	}},

	{"a deadline that has come while the loop was busy may still be moved", anywhere, func(t *testing.T, p place) {
		for _, test := range []struct {
			move func() driver.Instant
			want int
		}{{none, 0}, {far, 0}, {soon, 1}} {
			c, _ := p.open(t)
			c.Post(func() {
				for _, move := range []func() driver.Instant{soon, test.move} {
					c.SetDeadline(move())
					time.Sleep(3 * time.Millisecond)
				}
			})
			for range test.want {
				c.Expect("Expire")
			}
			c.ExpectQuiet()
		}
	}},

	{"Expire does not come after the end", sockets, func(t *testing.T, p place) {
		s := p.serve(t, nil)
		c, peer := s.Open()
		c.SetDeadline(driver.Now().After(20 * time.Millisecond))
		CloseWrite(t, peer)
		if k := c.Next(); k.What == "Expire" {
			k = c.Expect("ReceiveEnd") // on a slow machine
		} else if k.Err != io.EOF {
			t.Errorf("the driver called %+v", k)
		}
		clock, _ := s.Open()
		clock.SetDeadline(driver.Now().After(20 * time.Millisecond))
		clock.Expect("Expire")
		c.SetDeadline(soon())
		clock.SetDeadline(soon())
		clock.Expect("Expire")
		c.ExpectQuiet()
	}},

	{"deadlines do not keep bytes from arriving", anywhere, func(t *testing.T, p place) {
		c, peer := p.open(t)
		write := background(t, peer)
		for range 20 {
			c.SetDeadline(past())
			write([]byte("x"))
			var got []string
			for range 2 {
				got = append(got, c.Next().What)
			}
			if got[0] == got[1] {
				t.Errorf("the driver called %q", got)
			}
		}
	}},
}

// takeBack sets a deadline, takes it back, and expects that it does not come.
func takeBack(t *testing.T, p place, takeBack func(c *Conn)) {
	t.Helper()
	s := p.serve(t, nil)
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		c, _ := s.Open()
		clock, _ := s.Open()
		due := driver.Now().After(wait)
		c.SetDeadline(due)
		c.Turn()
		takeBack(c)
		if driver.Now() >= due {
			continue // too late: on a slow machine it takes more time
		}
		clock.SetDeadline(due.After(1))
		clock.Expect("Expire")
		c.ExpectQuiet()
		return
	}
}
