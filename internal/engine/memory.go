package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// A memory is the budget of what requests hold in memory: parameters, input that
// was not read, and output that was not sent. Each connection has a little of its
// own, so that those that are read from go on while others have used up the rest.
type memory struct {
	shared *spool.Budget // what connections draw from beyond their own
	own    int           // what each connection has, in bytes
	held   atomic.Int64  // by all connections

	mu      sync.Mutex
	waiting []Ref       // those that wait for room for output
	awaited atomic.Bool // waiting is not empty
}

const (
	// ownMemory is how much memory each connection has of its own, if the budget
	// is large enough.
	ownMemory = 4 << 10
	// outputMin is how much output a connection may hold in any case, beside what is
	// counted: who has nothing to send cannot be waited for.
	outputMin = 4 << 10
	// wakeBatch is how many that wait are woken at once, and wakeInterval how soon
	// the next are, though nobody has given memory back.
	wakeBatch    = 64
	wakeInterval = 100 * time.Millisecond
)

func newMemory(limit int64, maxConns int) *memory {
	m := &memory{}
	if maxConns > 0 {
		m.own = int(min(ownMemory, limit/int64(8*maxConns)))
	}
	m.shared = spool.NewBudget(limit - int64(m.own)*int64(maxConns))
	return m
}

// beyond returns how much of what a connection holds is not its own.
func (m *memory) beyond(held int) int { return max(0, held-m.own) }

// hold draws n bytes for a connection, all or none, and reports whether it did.
func (c *conn) hold(n int) bool {
	m := c.engine.memory
	if more := m.beyond(c.held+n) - m.beyond(c.held); more > 0 && !m.shared.Take(more) {
		return false
	}
	c.held += n
	m.held.Add(int64(n))
	return true
}

// holdMore draws n bytes, whatever the limit: for what is there already, and is
// bounded in another way.
func (c *conn) holdMore(n int) {
	m := c.engine.memory
	m.shared.TakeMore(m.beyond(c.held+n) - m.beyond(c.held))
	c.held += n
	m.held.Add(int64(n))
}

// letGo gives n bytes back.
func (c *conn) letGo(n int) {
	m := c.engine.memory
	if more := m.beyond(c.held) - m.beyond(c.held-n); more > 0 {
		m.shared.Give(int64(more))
		c.effects.freed = c.effects.freed || m.awaited.Load()
	}
	c.held -= n
	m.held.Add(-int64(n))
}

// holdOutput accounts for output that has grown by n bytes, or shrunk. The first
// outputMin of a connection do not count.
func (c *conn) holdOutput(n int) {
	before := max(0, c.outHeld-outputMin)
	c.outHeld += n
	switch n = max(0, c.outHeld-outputMin) - before; {
	case n > 0:
		c.holdMore(n)
	case n < 0:
		c.letGo(-n)
	}
}

// outputRoom returns how many of n bytes of output there is memory for.
func (c *conn) outputRoom(n int) int {
	if c.engine.memory.shared.Fits(n) {
		return n
	}
	return min(n, max(0, outputMin-c.outHeld))
}

// outputFits reports whether there is memory for n bytes of output, all of them. What is
// larger than all memory has to do with none, once the connection has nothing else
// to send.
func (c *conn) outputFits(n int) bool {
	return c.outputRoom(n) == n || c.outHeld == 0 && n > c.engine.memory.shared.Limit()
}

// awaitMemory has x woken when there may be memory for its output, and what it has
// written so far sent: it may be all that there is to wait for.
func (x *exchange) awaitMemory() {
	x.conn.enqueue(x)
	if x.awaitsMemory {
		return
	}
	x.awaitsMemory = true
	m := x.conn.engine.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, x.ref())
	if !m.awaited.Swap(true) {
		time.AfterFunc(wakeInterval, m.wakeLater)
	}
}

// wakeForOwn wakes those on the connection that wait for memory, once it has room
// for output of its own again.
func (c *conn) wakeForOwn() {
	if c.outHeld >= outputMin || !c.engine.memory.awaited.Load() {
		return
	}
	for _, x := range c.active {
		if x.awaitsMemory {
			x.wake()
			x.tellRoom()
		}
	}
}

// wakeLater is for memory that was given back while nobody looked: it wakes some of
// those that wait, as long as there are any.
func (m *memory) wakeLater() {
	m.wake()
	if m.awaited.Load() {
		time.AfterFunc(wakeInterval, m.wakeLater)
	}
}

// wake wakes some of those that wait. It is called with no mutex held.
func (m *memory) wake() {
	m.mu.Lock()
	n := min(len(m.waiting), wakeBatch)
	batch := append([]Ref(nil), m.waiting[:n]...)
	m.waiting = append(m.waiting[:0], m.waiting[n:]...)
	if len(m.waiting) == 0 {
		m.waiting = nil
		m.awaited.Store(false)
	}
	m.mu.Unlock()
	for _, r := range batch {
		if x, ok := r.enter(); ok {
			x.awaitsMemory = false
			x.wake()
			x.tellRoom()
		}
		r.leave()
	}
}
