//go:build linux

package epoll_test

import (
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
)

// A busyness keeps a loop busy with one connection, from one turn to the next, for as long as turn, which it calls in each
// of them, returns true.
type busyness struct {
	name string
	keep func(c *drivertest.Conn, peer net.Conn, turn func() bool)
}

var busynesses = []busyness{
	{"pouring", pour},
	{"posting", func(c *drivertest.Conn, _ net.Conn, turn func() bool) {
		var f func()
		f = func() {
			if turn() {
				c.Post(f)
			}
		}
		c.Post(f)
	}},
	{"pausing", func(c *drivertest.Conn, _ net.Conn, turn func() bool) {
		var f func()
		f = func() {
			c.Pause()
			c.Resume()
			if turn() {
				c.Post(f)
			}
		}
		c.Post(f)
	}},
}

// pour has the peer send as fast as it is read: what arrived is sent again, so there is always more than a read takes.
func pour(c *drivertest.Conn, peer net.Conn, turn func() bool) {
	c.Post(func() {
		more := make([]byte, readSize)
		on := true
		c.OnReceive = func(p []byte) {
			if len(p) > readSize {
				c.TB().Errorf("received %d bytes in one turn", len(p))
			}
			if on = on && turn(); on {
				writeAtOnce(c.TB(), peer, more[:len(p)])
			}
		}
		writeAtOnce(c.TB(), peer, more)
		writeAtOnce(c.TB(), peer, more[:readSize/2])
	})
}

// writeAtOnce writes to the peer's end without a word to Go's scheduler, which would take the opportunity to run others.
func writeAtOnce(t testing.TB, peer net.Conn, p []byte) {
	raw, err := peer.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	err = raw.Control(func(fd uintptr) {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		if int(n) != len(p) {
			t.Errorf("wrote %d of %d bytes: %v", int(n), len(p), errno)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// However busy a connection keeps the loop, what arrives on others is received in the next turn but one.
func TestTurns(t *testing.T) {
	for _, b := range busynesses {
		t.Run(b.name, func(t *testing.T) {
			const others, start, end = 100, 10, 50
			turns := 0 // all of this happens on the one loop
			received := make(chan int, others)
			done := make(chan struct{})
			e := serve(t, oneLoop(), func(c *drivertest.Conn) { c.OnReceive = func([]byte) { received <- turns } })
			busy, peer := e.Open()
			var peers []net.Conn
			for range others {
				_, p := e.Open()
				peers = append(peers, p)
			}
			b.keep(busy, peer, func() bool {
				if turns++; turns == start {
					for _, p := range peers {
						writeAtOnce(t, p, []byte("x"))
					}
				}
				if turns == end {
					close(done)
				}
				return turns < end
			})
			drivertest.Take(t, done)
			for range others {
				if at := drivertest.Take(t, received); at > start+2 {
					t.Fatalf("what had arrived in turn %d was received in turn %d", start, at)
				}
			}
		})
	}
}

// Connections that pour at the same time get as many turns each.
func TestTurnsOfEqual(t *testing.T) {
	const n, end = 5, 500
	var order []int // of turns, on the one loop
	done := make(chan struct{})
	e := serve(t, oneLoop(), nil)
	var conns []*drivertest.Conn
	var peers []net.Conn
	for range n {
		c, peer := e.Open()
		conns, peers = append(conns, c), append(peers, peer)
	}
	release := hold(e) // so that they begin together
	for i := range n {
		pour(conns[i], peers[i], func() bool {
			if len(order) == end {
				return false
			}
			if order = append(order, i); len(order) == end {
				close(done)
			}
			return len(order) < end
		})
	}
	release()
	drivertest.Take(t, done)
	var turns [n]int
	for at, i := range order {
		turns[i]++
		// Twice in the same turn of the loop: once for what epoll told, once for what was left.
		if slices.Max(turns[:])-slices.Min(turns[:]) > 2 {
			t.Fatalf("after %d turns each has had its share of %v", at+1, turns)
		}
	}
}

// Connections that wait to be accepted do not keep the loop from those that it has: no more than 16 are in one turn.
func TestTurnsOfAccepting(t *testing.T) {
	const waiting, batch = 100, 16
	accepted := 0 // on the one loop
	received := make(chan int, 1)
	e := serve(t, oneLoop(), func(*drivertest.Conn) { accepted++ })
	c, peer := e.Open()
	c.Post(func() { c.OnReceive = func([]byte) { received <- accepted } })
	release := hold(e)
	for range waiting {
		drivertest.Dial(t, e.Listener)
	}
	peer.Write([]byte("x"))
	release()
	if n := drivertest.Take(t, received); n > 1+batch {
		t.Errorf("%d connections were accepted before an older one was received from", n-1)
	}
	for range waiting {
		drivertest.Take(t, e.Conns)
	}
}

// A busy loop and the goroutines beside it take turns, even if there is one processor for all of them, and whether or not the
// goroutines ever give it up.
func TestTurnsOfGoroutines(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, b := range busynesses {
		t.Run(b.name, func(t *testing.T) {
			t.Run("that yield", func(t *testing.T) { takeTurns(t, b, 10, 1000, runtime.Gosched) })
			t.Run("that never yield", func(t *testing.T) { takeTurns(t, b, 2, 10, nil) })
		})
	}
}

// takeTurns counts the turns of a busy loop and the laps of goroutines beside it, until there are so many turns. Each must
// see that the others go on; except that a goroutine which does not yield makes any number of laps in its turn.
func takeTurns(t *testing.T, b busyness, goroutines int, end int64, yield func()) {
	const most = 10
	var turns atomic.Int64
	laps := make([]atomic.Int64, goroutines)
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() {
			var loop standstill
			for turns.Load() < end {
				laps[i].Add(1)
				if yield == nil {
					continue
				}
				yield()
				if loop.note(turns.Load()); loop.longest > most {
					t.Errorf("the loop had no turn in %d laps of a goroutine", loop.longest)
					return
				}
			}
		})
	}
	others := make([]standstill, goroutines)
	c, peer := serve(t, oneLoop(), nil).Open()
	b.keep(c, peer, func() bool {
		for i := range others {
			others[i].note(laps[i].Load())
		}
		return turns.Add(1) < end
	})
	all.Wait()
	for _, o := range others {
		if o.longest > most {
			t.Errorf("a goroutine made no lap in %d turns of the loop", o.longest)
		}
	}
}

// A standstill says how often in a row a count was the same, once it was not zero.
type standstill struct{ last, still, longest int64 }

func (s *standstill) note(count int64) {
	if s.still++; count != s.last || count == 0 {
		s.last, s.still = count, 0
	}
	s.longest = max(s.longest, s.still)
}
