package fastcgi

import (
	"container/list"
	"sync"
)

// A gate lets a number of requests run at once. Those beyond wait in order,
// without a goroutine.
type gate struct {
	limit int // 0: no limit

	mu      sync.Mutex
	running int
	waiting list.List     // of *exchange
	none    chan struct{} // closed when running falls to 0; nil if nobody waits
}

// enter takes a place for x, or puts it in the queue. It is called with the
// mutex of x's connection held, as is cancel.
func (g *gate) enter(x *exchange) (now bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit > 0 && g.running >= g.limit {
		x.ticket, x.ticketGen = g.waiting.PushBack(x), x.gen
		return false
	}
	g.running++
	return true
}

// cancel takes x out of the queue, if it is still there.
func (g *gate) cancel(x *exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x.ticket != nil {
		g.waiting.Remove(x.ticket)
		x.ticket = nil
	}
}

// leave gives a place up, to the first in the queue if there is one. It is
// called with no connection's mutex held.
func (g *gate) leave() {
	for {
		next, gen := g.next()
		if next == nil {
			return
		}
		c := next.conn
		c.mu.Lock()
		ok := next.gen == gen && next.stage == stageWaiting
		if ok {
			c.start(next)
		}
		c.unlock()
		if ok {
			return
		}
		// It was cancelled between the queue and here: its place goes on.
	}
}

// next gives the caller's place to the first in the queue and returns it, or
// gives it back.
func (g *gate) next() (*exchange, uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	front := g.waiting.Front()
	if front == nil {
		if g.running--; g.running == 0 && g.none != nil {
			close(g.none)
			g.none = nil
		}
		return nil, 0
	}
	x := g.waiting.Remove(front).(*exchange)
	x.ticket = nil
	return x, x.ticketGen
}

// active returns how many run.
func (g *gate) active() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running
}

// idle returns a channel that is closed when nothing runs.
func (g *gate) idle() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.none == nil {
		g.none = make(chan struct{})
		if g.running == 0 {
			none := g.none
			g.none = nil
			close(none)
			return none
		}
	}
	return g.none
}
