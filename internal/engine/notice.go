package engine

import (
	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A turn is the loop's work on a connection: what arrived is handled under the
// mutex, then the callbacks that became due are made without it. Guarded by
// conn.mu.
type turn struct {
	notices  []notice // callbacks that are due
	inTurn   bool     // the loop is at work on this connection and will look at notices
	posted   bool     // runDue is posted
	runDue   func()   // conn.runNotices; kept, so that posting allocates nothing
	turnLeft int      // bytes that may be sent in this turn
}

// A notice is one callback that is due for one request, or for the connection.
type notice struct {
	x    *exchange
	gen  uint64
	what noticeKind
}

type noticeKind uint8

const (
	noticeStart    noticeKind = iota // the request begins
	noticeInput                      // there is input
	noticeAbort                      // it was cancelled
	noticeRoom                       // there is room for output
	noticeShutdown                   // the server shuts down
	// Of the connection:
	noticeActive
	noticeIdle
	noticeClosed
)

// notify notes a callback.
func (c *conn) notify(x *exchange, what noticeKind) {
	c.post(notice{x, x.gen.Load(), what})
}

func (c *conn) post(n notice) {
	c.notices = append(c.notices, n)
	if !c.inTurn && !c.posted {
		c.posted = true
		c.sock.Post(c.runDue)
	}
}

// beginTurn takes mu for the loop's work on the connection.
func (c *conn) beginTurn(now driver.Instant) {
	c.enter()
	c.inTurn, c.now, c.turnLeft = true, now, turnLimit
}

// endTurn makes the callbacks that are due, and gives mu back. What they write is
// sent after the last.
func (c *conn) endTurn() {
	for len(c.notices) > 0 {
		n := c.notices[0]
		c.notices = c.notices[:copy(c.notices, c.notices[1:])]
		if n.what == noticeStart {
			c.handOver(n)
		} else {
			c.leave()
			c.call(n, nil)
		}
		c.enter()
	}
	c.inTurn = false
	c.leave()
}

// handOver gives a request to its handler, and mu back before.
func (c *conn) handOver(n notice) {
	if !n.x.serves(n.gen) {
		c.leave()
		return
	}
	h := &c.engine.Handlers[n.x.role]
	if h.Sync == nil {
		c.leave()
		c.call(n, h.Async)
		return
	}
	b := n.x.begin()
	c.leave()
	c.engine.workers.run(h.Sync(b))
}

// runNotices makes the callbacks that became due off the loop.
func (c *conn) runNotices() {
	c.beginTurn(driver.Now())
	c.posted = false
	c.endTurn()
}

// call makes a callback in a turn; start is the handler of a request that begins.
func (c *conn) call(n notice, start func(Ref)) {
	var returned bool
	defer c.contain(n, &returned)
	if start != nil {
		start(Ref{c, n.x, n.gen})
	} else {
		n.run(c)
	}
	returned = true
}

// contain acts on a callback that did not return. It is deferred. If the callback
// has ended the loop's goroutine (runtime.Goexit), as a test's FailNow does, the turn
// is finished here, and the driver goes on in another goroutine.
func (c *conn) contain(n notice, returned *bool) {
	reason, stack := notReturned(*returned, recover())
	switch {
	case reason == nil:
		return
	case n.x != nil:
		Ref{c, n.x, n.gen}.panicked(reason, stack)
	default:
		c.engine.logPanic(reason, stack)
	}
	if reason == errExited {
		c.enter()
		c.endTurn()
	}
}

// run makes the callback. Each kind looks for itself whether the request is still
// the one that it was noted for.
func (n notice) run(c *conn) {
	r := Ref{c, n.x, n.gen}
	switch n.what {
	case noticeInput:
		r.deliver()
	case noticeAbort:
		r.callAbort()
	case noticeRoom:
		r.callRoom()
	case noticeShutdown:
		r.callShutdown()
	case noticeActive:
		c.callState(ConnActive)
	case noticeIdle:
		c.callState(ConnIdle)
	case noticeClosed:
		defer c.engine.remove(c)
		c.callState(ConnClosed)
	}
}

// turnPieces is how many pieces of a stream, or of a body, the loop handles before
// it looks after others.
const turnPieces = 16

// notifyLater notes a callback that is due behind what others have to do on the
// loop.
func (c *conn) notifyLater(x *exchange, what noticeKind) {
	gen := x.gen.Load()
	c.sock.Post(func() {
		c.beginTurn(driver.Now())
		if x.serves(gen) {
			c.notify(x, what)
		}
		c.endTurn()
	})
}
