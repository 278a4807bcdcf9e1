package fastcgi

import (
	"net/http"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A Loop runs functions one at a time, together with the callbacks of the
// connections that it owns. They must not block: whatever else happens on the
// loop waits for them.
type Loop interface {
	// Post runs f on the loop, after Post has returned. Any goroutine may
	// call it.
	Post(f func())
	// AfterFunc runs f on the loop once d has passed. The function that it
	// returns cancels that, and reports whether it was in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// calls are the callbacks that a connection owes its handlers: noted under
// conn.mu, made on the loop without it.
type calls struct {
	pending []call
	inLoop  bool   // the loop is at work on this connection and will look at pending
	posted  bool   // runDue is posted
	runDue  func() // conn.runCalls; kept, so that posting allocates nothing
}

// A call is one callback for one request.
type call struct {
	x    *exchange
	gen  uint64
	what callKind
}

type callKind uint8

const (
	callStart callKind = iota
	callInput
	callAbort
	callDrain
	// Of the connection:
	callActive
	callIdle
	callClosed
)

// call notes a callback.
func (c *conn) call(x *exchange, what callKind) {
	c.post(call{x, x.gen.Load(), what})
}

func (c *conn) post(k call) {
	c.pending = append(c.pending, k)
	if !c.inLoop && !c.posted {
		c.posted = true
		c.sock.Post(c.runDue)
	}
}

// enterLoop takes mu for the loop's work on the connection.
func (c *conn) enterLoop(now driver.Instant) {
	c.mu.Lock()
	c.inLoop, c.now, c.turnLeft = true, now, turnLimit
}

// leaveLoop makes the calls that are due, and releases mu. What they write is
// sent after the last.
func (c *conn) leaveLoop() {
	for len(c.pending) > 0 {
		k := c.pending[0]
		c.pending = c.pending[:copy(c.pending, c.pending[1:])]
		c.unlock()
		k.make(c)
		c.mu.Lock()
	}
	c.inLoop = false
	c.unlock()
}

// runCalls makes the calls that became due off the loop.
func (c *conn) runCalls() {
	c.enterLoop(driver.Now())
	c.posted = false
	c.leaveLoop()
}

// make makes one call. Each kind looks for itself whether the request is still
// the one that it was noted for.
func (k call) make(c *conn) {
	ex := Exchange{c, k.x, k.gen}
	switch k.what {
	case callStart:
		ex.start()
	case callInput:
		ex.deliver()
	case callAbort:
		ex.aborted()
	case callDrain:
		ex.drained()
	case callActive:
		c.tellState(http.StateActive)
	case callIdle:
		c.tellState(http.StateIdle)
	case callClosed:
		c.tellState(http.StateClosed)
		c.service.remove(c)
	}
}

// A loop is the Loop over a driver's.
type loop struct {
	service *service
	post    func(func())
}

func (l loop) Post(f func()) {
	l.post(func() {
		defer l.service.recoverCallback()
		f()
	})
}

func (l loop) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, func() { l.Post(f) }).Stop
}

// turnPieces is how many pieces of a stream, or of a body, the loop handles before
// it looks after others.
const turnPieces = 16

// yield notes a callback that is due behind what others have to do on the loop.
func (c *conn) yield(x *exchange, what callKind) {
	gen := x.gen.Load()
	c.sock.Post(func() {
		c.enterLoop(driver.Now())
		if x.is(gen) {
			c.call(x, what)
		}
		c.leaveLoop()
	})
}
