package fastcgi

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// A gate lets a number of requests run at once. Those beyond wait in order,
// without a goroutine. Without a limit it only counts.
type gate struct {
	limit   int // 0: no limit
	running atomic.Int64
	watched atomic.Bool // somebody waits for running to fall to 0

	mu      sync.Mutex
	waiting list.List     // of Exchange
	none    chan struct{} // closed when running falls to 0; nil if nobody waits
}

// enter takes a place for x, or puts it in the queue. It is called with the
// mutex of x's connection held, as is cancel.
func (g *gate) enter(x *exchange) (now bool) {
	if g.limit <= 0 {
		g.running.Add(1)
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running.Load() >= int64(g.limit) {
		x.ticket = g.waiting.PushBack(Exchange{x.conn, x, x.gen.Load()})
		return false
	}
	g.running.Add(1)
	return true
}

// cancel takes x out of the queue, if it is still there.
func (g *gate) cancel(x *exchange) {
	if g.limit <= 0 {
		return
	}
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
		next, ok := g.next()
		if !ok {
			g.notify()
			return
		}
		if next.conn.startQueued(next) {
			return
		}
		// It was cancelled between the queue and here: its place goes on.
	}
}

// startQueued starts a request that was queued, and reports whether it did.
func (c *conn) startQueued(ex Exchange) bool {
	c.mu.Lock()
	defer c.unlock()
	ok := ex.x.is(ex.gen) && ex.x.stage == stageWaiting
	if ok {
		c.start(ex.x)
	}
	return ok
}

// next gives the caller's place to the first in the queue and returns it, or
// gives it back.
func (g *gate) next() (_ Exchange, ok bool) {
	if g.limit <= 0 {
		g.running.Add(-1)
		return Exchange{}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	front := g.waiting.Front()
	if front == nil {
		g.running.Add(-1)
		return Exchange{}, false
	}
	ex := g.waiting.Remove(front).(Exchange)
	ex.x.ticket = nil
	return ex, true
}

// notify tells whoever waits in idle, if nothing runs.
func (g *gate) notify() {
	if !g.watched.Load() || g.running.Load() != 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.none != nil {
		close(g.none)
		g.none = nil
	}
}

// active returns how many run.
func (g *gate) active() int { return int(g.running.Load()) }

// idle returns a channel that is closed when nothing runs.
func (g *gate) idle() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.none == nil {
		g.none = make(chan struct{})
	}
	none := g.none
	// Before looking: whoever leaves looks at it afterwards.
	g.watched.Store(true)
	if g.running.Load() == 0 {
		close(g.none)
		g.none = nil
	}
	return none
}
