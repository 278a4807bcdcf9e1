//go:build linux

package epoll

import (
	"container/heap"
	"math/rand/v2"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// The next deadline is always first, each connection has one at most, and knows its place.
func TestTimers(t *testing.T) {
	var timers timers
	sockets := make([]socket, 100)
	want := make(map[*socket]driver.Instant)
	for range 10_000 {
		s := &sockets[rand.IntN(len(sockets))]
		due := driver.Instant(rand.IntN(1000)) // some are alike, and some zero: none
		timers.set(s, due)
		want[s] = due
		if due == 0 {
			delete(want, s)
		}
		expectTimers(t, timers, want)
	}
	for last := driver.Instant(0); len(timers) > 0; {
		s := heap.Pop(&timers).(*socket)
		if s.due < last || s.due != want[s] || s.timer != 0 {
			t.Fatalf("after %d came %d in place %d, want %d", last, s.due, s.timer, want[s])
		}
		last = s.due
		delete(want, s)
		expectTimers(t, timers, want)
	}
}

func expectTimers(t *testing.T, timers timers, want map[*socket]driver.Instant) {
	t.Helper()
	if len(timers) != len(want) {
		t.Fatalf("there are %d timers, want %d", len(timers), len(want))
	}
	for i, s := range timers {
		switch due, ok := want[s]; {
		case !ok, due != s.due, due < timers[0].due, int(s.timer) != i+1:
			t.Fatalf("timer %d is %d in place %d, want %d; the first is %d", i+1, s.due, s.timer, due, timers[0].due)
		}
	}
}
