package client

import (
	"context"
	"slices"
	"sync"
)

// A connPool holds a client's connections: all of them, for Close, and those that
// are idle, the one used last at the end.
//
// Every request holds a place from acquire to release; idle connections hold
// none. A new connection is only made when none is idle, when an idle one was
// closed for it, or when there are fewer than places, so there are never more.
type connPool struct {
	once   sync.Once
	places chan struct{} // a value for each place taken; nil where there is no limit
	closed chan struct{} // closed by close

	mu       sync.Mutex
	isClosed bool
	all      map[*conn]struct{}
	making   int // connections that are being made, and GetValues' own
	idle     []*conn
}

func (p *connPool) init(places int) {
	p.once.Do(func() {
		p.closed = make(chan struct{})
		p.all = make(map[*conn]struct{})
		if places > 0 {
			p.places = make(chan struct{}, places)
		}
	})
}

// acquire takes a place, as soon as there is one.
func (p *connPool) acquire(ctx context.Context, places int) error {
	p.init(places)
	select {
	case <-p.closed:
		return ErrClosed
	default:
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.places == nil {
		return nil
	}
	select {
	case p.places <- struct{}{}:
		return nil
	case <-p.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// release gives a place back.
func (p *connPool) release() {
	if p.places != nil {
		<-p.places
	}
}

// take returns an idle connection, or nil if one has to be made: the caller then
// calls add, or unmade.
//
// Without a limit it is the one that was used last; the oldest so get the chance
// to time out. With one, there is a worker for each place: so new ones are made
// until there are spread of them, and then it is the oldest. Its worker has had
// the longest time for what it does behind END_REQUEST.
func (p *connPool) take(spread int) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.idle) == 0, len(p.all)+p.making < min(cap(p.places), spread):
		p.making++
		return nil
	case p.places != nil:
		return p.remove(0)
	}
	return p.remove(len(p.idle) - 1)
}

// makeRoom is for a connection that is to be made in any case. It returns an
// idle one that has to be closed first, or nil. The caller then calls add, or
// unmade.
func (p *connPool) makeRoom() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making++
	if len(p.idle) == 0 {
		return nil
	}
	return p.remove(0)
}

// remove takes the i-th of the idle connections. It needs mu.
func (p *connPool) remove(i int) *conn {
	c := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return c
}

// unmade says that a connection was not made, or is none of the pool's any more.
func (p *connPool) unmade() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making--
}

// add registers a connection that was made; false means that the pool is closed.
func (p *connPool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making--
	if p.isClosed {
		return false
	}
	p.all[c] = struct{}{}
	return true
}

// put keeps an idle connection; false means that there is no room for it.
func (p *connPool) put(c *conn, room int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed || len(p.idle) >= room {
		return false
	}
	p.idle = append(p.idle, c)
	return true
}

// forget removes a connection that was closed.
func (p *connPool) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, c)
	if i := slices.Index(p.idle, c); i >= 0 {
		p.remove(i)
	}
}

// takeAll removes and returns the idle connections.
func (p *connPool) takeAll() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle
	p.idle = nil
	return idle
}

// close refuses further connections and returns those that exist.
func (p *connPool) close() []*conn {
	p.init(0)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isClosed {
		p.isClosed = true
		close(p.closed)
	}
	conns := make([]*conn, 0, len(p.all))
	for c := range p.all {
		conns = append(conns, c)
	}
	return conns
}
