package engine

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// A limiter lets a number of requests run at once. Those beyond wait in order,
// without a goroutine. Without a limit it only counts.
type limiter struct {
	limit   int // 0: no limit
	running atomic.Int64
	awaited atomic.Bool // somebody waits for running to fall to 0

	mu      sync.Mutex
	waiting list.List     // of Ref
	none    chan struct{} // closed when running falls to 0; nil if nobody waits
}

// acquire takes a place for x, or puts it in the queue. It is called with the
// mutex of x's connection held, as is dequeue.
func (l *limiter) acquire(x *exchange) (now bool) {
	if l.limit <= 0 {
		l.running.Add(1)
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running.Load() >= int64(l.limit) {
		x.queueEntry = l.waiting.PushBack(x.ref())
		return false
	}
	l.running.Add(1)
	return true
}

// dequeue takes x out of the queue, if it is still there.
func (l *limiter) dequeue(x *exchange) {
	if l.limit <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.queueEntry != nil {
		l.waiting.Remove(x.queueEntry)
		x.queueEntry = nil
	}
}

// release gives a place up, to the first in the queue if there is one. It is
// called with no connection's mutex held.
func (l *limiter) release() {
	for {
		next, ok := l.next()
		if !ok {
			l.tellIdle()
			return
		}
		if next.startQueued() {
			return
		}
		// It was cancelled between the queue and here: its place goes on.
	}
}

// startQueued starts a request that was queued, and reports whether it did.
func (r Ref) startQueued() bool {
	x, ok := r.enter()
	defer r.leave()
	ok = ok && x.state == stateQueued
	if ok {
		r.conn.start(x)
	}
	return ok
}

// next gives the caller's place to the first in the queue and returns it, or
// gives it back.
func (l *limiter) next() (_ Ref, ok bool) {
	if l.limit <= 0 {
		l.running.Add(-1)
		return Ref{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	front := l.waiting.Front()
	if front == nil {
		l.running.Add(-1)
		return Ref{}, false
	}
	r := l.waiting.Remove(front).(Ref)
	r.x.queueEntry = nil
	return r, true
}

// tellIdle tells whoever waits in idle, if nothing runs.
func (l *limiter) tellIdle() {
	if !l.awaited.Load() || l.running.Load() != 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.none != nil {
		close(l.none)
		l.none = nil
	}
}

// active returns how many run.
func (l *limiter) active() int { return int(l.running.Load()) }

// idle returns a channel that is closed when nothing runs.
func (l *limiter) idle() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.none == nil {
		l.none = make(chan struct{})
	}
	none := l.none
	// Before looking: whoever releases looks at it afterwards.
	l.awaited.Store(true)
	if l.running.Load() == 0 {
		close(l.none)
		l.none = nil
	}
	return none
}
