package client

import (
	"context"
	"math"
	"net"
	"slices"
	"sync"
)

// A connPool holds a client's connections: those that are there, those that are being made, and those who wait for one.
//
// A request has a connection from acquire until it is given back with release, or is gone with forget. Nobody overtakes: a
// connection that becomes free goes to the first who waits and can use it.
type connPool struct {
	once   sync.Once
	closed chan struct{} // closed by close

	mu       sync.Mutex
	isClosed bool
	number   uint64   // of the connection that was begun last
	making   []making // connections that are being made, and GetValues' own
	conns    []*conn
	idle     []*conn // of conns, those without a request: the one that was used last at the end
	waiting  []*waiter
	unshared bool // connections are shared no more
}

// A making is a connection on its way.
type making struct {
	number uint64
	room   int      // for requests
	nc     net.Conn // GetValues' own, which close closes; or nil
}

// A place is what of the pool's a connection has. It is guarded by connPool.mu.
type place struct {
	number  uint64
	most    int // requests at once
	full    int // the same, as it was to begin with
	left    int // requests that it may still be used for, if it is shared
	used    int // by requests
	calm    int // requests that ended since most was lowered or raised
	retired bool
}

// A want says what a request needs.
type want struct {
	after    uint64 // only a connection with a greater number will do
	shared   bool   // beside others, rather than alone
	room     int    // of a connection that is made
	maxConns int    // 0: no limit
	maxIdle  int
}

// brandNew is for a want that no connection satisfies which is there already.
const brandNew = math.MaxUint64

// A grant is a connection to use, or the right to make one.
type grant struct {
	conn   *conn  // nil: one is to be made, which ends with add or unmade
	number uint64 // of that
	victim *conn  // to be closed before: it was idle, and there was no room
}

// A waiter is a request without a connection.
type waiter struct {
	want
	ready chan struct{} // closed with the grant
	grant grant
}

func (p *connPool) init() {
	p.once.Do(func() { p.closed = make(chan struct{}) })
}

// acquire returns what the request may use, as soon as there is something.
func (p *connPool) acquire(ctx context.Context, w want) (grant, error) {
	p.init()
	if ctx.Err() != nil {
		return grant{}, context.Cause(ctx)
	}
	p.mu.Lock()
	if p.isClosed {
		p.mu.Unlock()
		return grant{}, ErrClosed
	}
	// If there were something for those who wait, they had it.
	if g, ok := p.pick(&w, len(p.waiting)); ok {
		p.mu.Unlock()
		return g, nil
	}
	self := &waiter{want: w, ready: make(chan struct{})}
	p.waiting = append(p.waiting, self)
	p.mu.Unlock()
	select {
	case <-self.ready:
		return self.grant, nil
	case <-p.closed:
		p.leave(self)
		return grant{}, ErrClosed
	case <-ctx.Done():
		p.leave(self)
		return grant{}, context.Cause(ctx)
	}
}

// leave ends waiting, and gives back what was granted meanwhile.
func (p *connPool) leave(self *waiter) {
	p.mu.Lock()
	i := slices.Index(p.waiting, self)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	g := self.grant
	p.mu.Unlock()
	switch {
	case i >= 0:
	case g.conn != nil:
		if !p.release(g.conn, math.MaxInt) {
			g.conn.close(errOver)
		}
	default:
		p.unmade(g.number)
	}
	if g.victim != nil {
		g.victim.close(errOver)
	}
}

// pick finds what the request may use, with so many waiting before it. It needs mu.
func (p *connPool) pick(w *want, ahead int) (grant, bool) {
	if w.shared {
		if c := p.leastUsed(w.after); c != nil {
			return p.use(c), true
		}
		if p.expected(w.after) > ahead {
			return grant{}, false // there will be room on one that is being made
		}
		return p.begin(w)
	}
	total := len(p.conns) + len(p.making)
	if w.maxConns > 0 && total < min(w.maxConns, w.maxIdle) {
		// There is a worker for each: those that were not used rest for longest.
		return p.begin(w)
	}
	if c := p.idleAfter(w); c != nil {
		return p.use(c), true
	}
	return p.begin(w)
}

// leastUsed returns the connection with room for one request more that has the fewest, or nil.
func (p *connPool) leastUsed(after uint64) (least *conn) {
	for _, c := range p.conns {
		if c.number > after && c.used < c.most && !c.retired && c.shared && (least == nil || c.used < least.used) {
			least = c
		}
	}
	return least
}

// expected returns how many requests there will be room for on connections that are being made, besides those that make them.
func (p *connPool) expected(after uint64) (room int) {
	for _, m := range p.making {
		if m.number > after {
			room += m.room - 1
		}
	}
	return room
}

// idleAfter returns an idle connection, or nil.
//
// Without a limit it is the one that was used last; the oldest so get the chance to time out. With one, there is a worker for
// each, and it is the oldest: its worker has had the longest time for what it does behind END_REQUEST.
func (p *connPool) idleAfter(w *want) (found *conn) {
	for _, c := range p.idle {
		if c.number > w.after && !c.shared {
			found = c
			if w.maxConns > 0 {
				break
			}
		}
	}
	return found
}

// use gives one request more to a connection.
func (p *connPool) use(c *conn) grant {
	p.unidle(c)
	c.lend()
	return grant{conn: c}
}

// lend is for one request more.
func (c *place) lend() {
	c.used++
	if c.left--; c.left == 0 {
		c.retired = true
	}
}

// begin allows to make a connection, if need be in the place of an idle one.
func (p *connPool) begin(w *want) (g grant, ok bool) {
	if w.maxConns > 0 && len(p.conns)+len(p.making) >= w.maxConns {
		if len(p.idle) == 0 {
			return grant{}, false
		}
		g.victim = p.idle[0]
		p.remove(g.victim)
	}
	p.number++
	g.number = p.number
	p.making = append(p.making, making{number: g.number, room: w.room})
	return g, true
}

// serve gives what there is to those who wait, in their order. It needs mu.
func (p *connPool) serve() {
	for i := 0; i < len(p.waiting) && !p.isClosed; {
		w := p.waiting[i]
		g, ok := p.pick(&w.want, i)
		switch {
		case ok:
			p.waiting = slices.Delete(p.waiting, i, i+1)
			w.grant = g
			close(w.ready)
		case w.after > 0:
			i++ // what does not do for it may do for others
		default:
			return
		}
	}
}

// unmade says that a connection was not made, or is none of the pool's any more.
func (p *connPool) unmade(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made(number)
	p.serve()
}

func (p *connPool) made(number uint64) {
	p.making = slices.DeleteFunc(p.making, func(m making) bool { return m.number == number })
}

// asks registers a connection that was made for GetValues; false means that the pool is closed.
func (p *connPool) asks(number uint64, nc net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.making {
		if p.making[i].number == number {
			p.making[i].nc = nc
		}
	}
	return !p.isClosed
}

// shut reports whether the pool is closed.
func (p *connPool) shut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isClosed
}

// add registers a connection that was made, and is used by the request that made it; false means that the pool is closed.
func (p *connPool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made(c.number)
	if p.isClosed {
		return false
	}
	c.lend()
	c.retired = c.retired || c.shared && p.unshared
	p.conns = append(p.conns, c)
	p.serve()
	return true
}

// release takes a connection back from a request; false means that it is not to be kept.
func (p *connPool) release(c *conn, maxIdle int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.used--
	if c.most < c.full {
		c.relax()
	}
	if c.used == 0 {
		if p.isClosed || c.retired || len(p.idle) >= maxIdle {
			return false
		}
		p.idle = append(p.idle, c)
	}
	if len(p.waiting) > 0 {
		p.serve()
	}
	return true
}

// retire lets no further request have the connection.
func (p *connPool) retire(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.retired = true
}

// unshare retires all connections that requests share, and returns those that none has. Those who wait, and wanted to share
// one, have one each.
func (p *connPool) unshare() (unused []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unshared = true
	for _, w := range p.waiting {
		w.shared, w.room = false, 1
	}
	for i := range p.making {
		p.making[i].room = 1
	}
	defer p.serve()
	for _, c := range p.conns {
		if c.shared {
			c.retired = true
			if c.used == 0 {
				unused = append(unused, c)
			}
		}
	}
	return unused
}

// limit says how many requests a connection may have at once, for now.
func (p *connPool) limit(c *conn, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.most = max(1, min(c.most, most))
	c.calm = 0
}

// calmEnough is how many requests end on a connection until it gets one more at once again than its application took.
const calmEnough = 100

// relax allows that. It needs mu.
func (c *conn) relax() {
	if c.calm++; c.calm >= calmEnough {
		c.most, c.calm = c.most+1, 0
	}
}

// forget removes a connection that was closed, and returns the number of the one that was begun last: those with a greater one
// are made after the loss.
func (p *connPool) forget(c *conn) (newest uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newest = p.number
	p.remove(c)
	p.serve()
	return newest
}

func (p *connPool) remove(c *conn) {
	c.retired = true // who still has it may give it back
	p.unidle(c)
	if i := slices.Index(p.conns, c); i >= 0 {
		p.conns = slices.Delete(p.conns, i, i+1)
	}
}

func (p *connPool) unidle(c *conn) {
	if i := slices.Index(p.idle, c); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
}

// takeIdle removes and returns the idle connections with numbers up to newest.
func (p *connPool) takeIdle(newest uint64) (taken []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		if c.number <= newest {
			taken = append(taken, c)
		}
	}
	for _, c := range taken {
		p.remove(c)
	}
	p.serve()
	return taken
}

// close refuses further connections and returns those that exist.
func (p *connPool) close() []*conn {
	p.init()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isClosed {
		p.isClosed = true
		close(p.closed)
	}
	for _, m := range p.making {
		if m.nc != nil {
			m.nc.Close()
		}
	}
	return slices.Clone(p.conns)
}
