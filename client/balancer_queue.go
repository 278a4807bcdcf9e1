package client

import (
	"container/list"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// A call is a request on its way through a Balancer.
type call struct {
	// Immutable.
	req    *Request
	key    uint64 // of ConsistentHash
	hasKey bool

	// Owned by Do.
	patience time.Duration // left of QueueTimeout
	pause    time.Duration // before away is tried again
	retries  int           // left of MaxRetries
	lastErr  error         // of the last application that was tried
	failedAt *app          // which that was, until the next one is

	// Owned by Do, and guarded by Balancer.mu while the call waits.
	tried []*app // to which it does not go again
	away  []*app // where nobody listened, in this round
	room  [4]*app
}

func (b *Balancer) newCall(req *Request) *call {
	c := &call{
		req:      req,
		patience: limit.Of(b.QueueTimeout, DefaultQueueTimeout, math.MaxInt64),
		pause:    firstPause,
		retries:  limit.Of(b.MaxRetries, DefaultMaxRetries, math.MaxInt),
	}
	c.tried = c.room[:0]
	if b.Policy == ConsistentHash {
		key := b.Key(req)
		c.key, c.hasKey = hash(key), key != ""
	}
	return c
}

// excludes reports whether the call does not go to an application, or not now.
func (c *call) excludes(a *app) bool {
	return slices.Contains(c.tried, a) || slices.Contains(c.away, a)
}

// mayMove reports whether a call, which an application has failed and Client.attempt has prepared for another, may be tried
// there.
func (b *Balancer) mayMove(c *call, a *app, err error) bool {
	if b.NoRetry {
		return false
	}
	c.lastErr, c.failedAt = err, a
	if address.Away(err) {
		c.away = append(c.away, a)
		return true
	}
	c.tried = append(c.tried, a)
	c.retries--
	return c.retries >= 0
}

// A slot is a call's part of an application's requests in flight, from acquire to release.
type slot struct {
	app     *app
	trial   bool            // the call shows whether the application is well
	suspect bool            // its kept connections have to be closed first
	down    context.Context // as in healthState
}

// A queued is a call that waits.
type queued struct {
	call  *call
	given chan slot // from dispatch, one; has room for it
}

// acquire takes a slot for a call, and waits for one if it has to.
func (b *Balancer) acquire(ctx context.Context, c *call) (slot, error) {
	if ctx.Err() != nil {
		return slot{}, b.notWaiting(c, context.Cause(ctx))
	}
	now := time.Now()
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return slot{}, ErrClosed
	}
	b.dispatch(now)
	if a := b.choose(c, now); a != nil {
		defer b.mu.Unlock()
		return b.take(c, a, now), nil
	}
	e, err := b.enqueue(c, now)
	b.mu.Unlock()
	if err != nil {
		return slot{}, err
	}
	return b.wait(ctx, c, e)
}

// take counts a call for an application. It needs mu.
func (b *Balancer) take(c *call, a *app, now time.Time) slot {
	b.setHealth(a, rested, now)
	s := slot{app: a, suspect: a.health.suspect, down: a.health.down}
	a.health.suspect = false
	if a.health.now == HealthTrial {
		a.health.trying, s.trial = true, true
	}
	a.inFlight++
	a.totals.requests++
	if c.failedAt != nil {
		c.failedAt.totals.retries++
		c.failedAt = nil
	}
	return s
}

// enqueue has a call wait, or says why there is no use in that. It needs mu.
func (b *Balancer) enqueue(c *call, now time.Time) (*list.Element, error) {
	most := limit.Of(b.MaxQueue, DefaultMaxQueue, 0)
	switch {
	case !b.mayComeFree(c):
		if c.lastErr != nil {
			return nil, c.lastErr
		}
		return nil, fmt.Errorf("%w: there is none, or all are drained", ErrUnavailable)
	case b.queue.Len() >= most:
		b.waits.Refused++
		return nil, b.unavailable(c, fmt.Sprintf("%d requests wait already", b.queue.Len()))
	}
	b.waits.Total++
	e := b.queue.PushBack(&queued{call: c, given: make(chan slot, 1)})
	b.armRecheck(now)
	return e, nil
}

// mayComeFree reports whether an application may have room for a call later. It needs mu.
func (b *Balancer) mayComeFree(c *call) bool {
	for _, a := range b.apps {
		if !a.drained && !slices.Contains(c.tried, a) {
			return true
		}
	}
	// A name that has not been looked up may stand for some.
	return slices.ContainsFunc(b.entries, func(e *entry) bool { return e.host != nil && !e.lookups.known() })
}

// wait waits in the queue for a slot.
func (b *Balancer) wait(ctx context.Context, c *call, e *list.Element) (slot, error) {
	w := e.Value.(*queued)
	for {
		start := time.Now()
		timer := time.NewTimer(c.nextLook())
		var err error
		select {
		case s := <-w.given:
			timer.Stop()
			c.patience -= time.Since(start)
			return s, nil
		case <-timer.C:
		case <-ctx.Done():
			err = b.notWaiting(c, context.Cause(ctx))
		case <-b.ctx.Done():
			err = ErrClosed
		}
		timer.Stop()
		c.patience -= time.Since(start)
		if s, over, err := b.lookAgain(c, e, err); over {
			return s, err
		}
	}
}

// nextLook is how long a call waits before it does something itself.
func (c *call) nextLook() time.Duration {
	if len(c.away) > 0 {
		return min(c.patience, c.pause)
	}
	return c.patience
}

// lookAgain ends the waiting of a call with an error, for err or for want of patience, or with a slot, if it got one at
// the same moment or finds one now that it may go where nobody listened.
func (b *Balancer) lookAgain(c *call, e *list.Element, err error) (s slot, over bool, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	w := e.Value.(*queued)
	select {
	case s := <-w.given:
		if err == nil {
			return s, true, nil
		}
		b.release(s)
		s.app.health.suspect = s.app.health.suspect || s.suspect
		s.app.totals.failures.count(causeCanceled)
		b.dispatch(now)
		return slot{}, true, err
	default:
	}
	if err == nil && len(c.away) > 0 {
		c.away = nil
		c.pause = min(2*c.pause, mostPause)
		if a := b.choose(c, now); a != nil {
			b.queue.Remove(e)
			return b.take(c, a, now), true, nil
		}
	}
	if err == nil && c.patience > 0 {
		return slot{}, false, nil
	}
	b.queue.Remove(e)
	if err == nil {
		b.waits.TimedOut++
		err = b.unavailable(c, "none came free in time")
	}
	return slot{}, true, err
}

// notWaiting says that a call's context ended before it got a slot.
func (b *Balancer) notWaiting(c *call, cause error) error {
	if c.lastErr != nil {
		return fmt.Errorf("fastcgi: waiting for another application: %w, after: %w", cause, c.lastErr)
	}
	return fmt.Errorf("fastcgi: waiting for an application: %w", cause)
}

// unavailable is the error of a call that gets no slot, with what is known about the reason.
func (b *Balancer) unavailable(c *call, why string) error {
	if c.lastErr != nil {
		return fmt.Errorf("%w: %s; the last one that was tried: %w", ErrUnavailable, why, c.lastErr)
	}
	for _, e := range b.entries {
		if e.lookups.err != nil && !e.lookups.known() {
			return fmt.Errorf("%w: %s; looking up %s: %w", ErrUnavailable, why, e.host.name, e.lookups.err)
		}
	}
	for _, a := range b.apps {
		if a.health.now != HealthUp && a.totals.lastErr != nil {
			return fmt.Errorf("%w: %s; %s, for one, is %v: %v", ErrUnavailable, why, a.name, a.health.now, a.totals.lastErr)
		}
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, why)
}

// dispatch gives those who wait what has come free, the oldest first. Whoever frees a slot, or makes one, calls it, so
// that what is free at any other moment is of no use to those who wait. It needs mu.
func (b *Balancer) dispatch(now time.Time) {
	for e := b.queue.Front(); e != nil && !b.closed && b.anyRoom(now); {
		w, next := e.Value.(*queued), e.Next()
		if a := b.choose(w.call, now); a != nil {
			b.queue.Remove(e)
			w.given <- b.take(w.call, a, now)
		}
		e = next
	}
	b.armRecheck(now)
}

func (b *Balancer) anyRoom(now time.Time) bool {
	return slices.ContainsFunc(b.apps, func(a *app) bool { return a.hasRoom(now) })
}

// release gives a slot back. It needs mu; the caller then says how the request went, and calls dispatch.
func (b *Balancer) release(s slot) {
	s.app.inFlight--
	if s.trial {
		s.app.health.trying = false
	}
	if s.app.inFlight == 0 {
		s.app.tellQuiet()
	}
}

// armRecheck has the queue looked at when the next ejection is over, if anybody waits. It needs mu.
func (b *Balancer) armRecheck(now time.Time) {
	b.stopRecheck()
	if b.closed || b.queue.Len() == 0 {
		return
	}
	var next time.Time
	for _, a := range b.apps {
		if !a.drained && a.health.now == HealthEjected && (next.IsZero() || a.health.until.Before(next)) {
			next = a.health.until
		}
	}
	if next.IsZero() || !next.After(now) {
		return
	}
	b.running.Add(1)
	b.recheck = time.AfterFunc(next.Sub(now), func() {
		defer b.running.Done()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.dispatch(time.Now())
	})
}

// stopRecheck undoes armRecheck. It needs mu.
func (b *Balancer) stopRecheck() {
	if b.recheck != nil && b.recheck.Stop() {
		b.running.Done()
	}
	b.recheck = nil
}
