package fastcgi

import (
	"fmt"
	"slices"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

const (
	// outputLimit is how many bytes a request may have written that are not
	// on their way yet; beyond, a sync handler waits and an async one gets
	// ErrFull.
	outputLimit = 64 << 10
	// outputLow is how far they must have fallen for OnDrain.
	outputLow = outputLimit / 2
	// turnLimit is how many bytes of a connection's are sent before whoever sends
	// them gets on: the loop with other connections, a handler with its own work.
	// However fast the web server takes them, the loop comes back for the rest.
	turnLimit = 1 << 20
	// flushSize is how many bytes are sent without waiting for a flush.
	flushSize = 32 << 10
)

// A sender decides what a connection sends next. The exchanges that have
// something take turns of a segment each. Guarded by conn.mu.
type sender struct {
	ready    []*exchange // that have output to send, in the order of their turns
	replies  []byte      // what the protocol itself owes, to go first
	wire     segment     // what the socket has been given; no buf: nothing
	turnLeft int         // bytes that the loop may send in this turn
	flushed  bool        // there is something to send
	plenty   bool        // and so much that it is sent in the midst of things
	reported bool        // that the protocol has refused a request
}

// flush gives an exchange its turns until its output is sent.
func (c *conn) flush(x *exchange) {
	if x.out.empty() || x.held() {
		return
	}
	c.flushed = true
	c.plenty = c.plenty || x.out.size >= flushSize
	if !x.queued {
		x.queued = true
		c.ready = append(c.ready, x)
	}
}

// repliesLimit is how many bytes of replies may wait until no more questions are
// read (a flood of GET_VALUES from a peer that does not read the answers).
const repliesLimit = 64 << 10

// takeReplies puts what the protocol answered on its own before what handlers
// did.
func (c *conn) takeReplies() {
	if !c.proto.HasReplies() {
		return
	}
	if c.replies == nil {
		c.replies = pool.Get(0)
	}
	c.replies = c.proto.TakeReplies(c.replies)
	c.flushed = true
	// One may be a refusal, and the rest of the refused request on its way.
	c.linger = true
	c.reportRefusals()
	c.adjustFlow()
}

// reportRefusals logs that the protocol has refused a request, once for each
// connection: a peer must not fill the log.
func (c *conn) reportRefusals() {
	if n, status := c.proto.Refused(); n > 0 && !c.reported {
		c.reported = true
		c.service.log.Warn("fastcgi: request refused", "reason", status, "remote", c.sock.RemoteAddr(),
			"note", "further ones on this connection are not logged")
	}
}

// sendingAnything reports whether output is left, in whatever state.
func (c *conn) sendingAnything() bool {
	return c.broken == nil && (c.wire.buf != nil || len(c.ready) > 0 || len(c.replies) > 0)
}

// maySend reports whether there is something for the caller to send. It waits while
// somebody else is sending, and while the loop is at work on the connection, which
// may bring more; unless there is plenty already, and its turn not over.
func (c *conn) maySend() bool {
	return c.flushed && c.wire.buf == nil && c.broken == nil && (!c.inLoop || c.plenty && c.turnLeft > 0)
}

// sendLater leaves it to the loop to send what there is, in a turn to come.
func (c *conn) sendLater() {
	if c.maySend() && !c.posted {
		c.posted = true
		c.sock.Post(c.runDue)
	}
}

// nextOutput puts into wire what the caller is to give to the socket, and reports
// whether that is anything: what the protocol owes, or the next turns of requests,
// of which short ones share a write.
func (c *conn) nextOutput() bool {
	if !c.maySend() {
		return false
	}
	if len(c.replies) > 0 {
		c.wire.buf, c.replies = c.replies, nil
		c.adjustFlow()
		return true
	}
	for len(c.ready) > 0 && c.wire.body == nil && len(c.wire.buf)+c.ready[0].out.first() <= segmentSize {
		c.nextTurn()
	}
	c.flushed, c.plenty = len(c.ready) > 0, false
	return c.wire.buf != nil
}

// nextTurn takes a segment from the exchange whose turn it is.
func (c *conn) nextTurn() {
	x := c.ready[0]
	c.unqueue(x)
	seg := x.out.take()
	if c.wire.buf == nil {
		c.wire = seg
	} else {
		c.wire.buf = append(pool.Grow(c.wire.buf, len(seg.buf)), seg.buf...)
		c.wire.body, c.wire.loan = seg.body, seg.loan
		pool.Put(seg.buf)
	}
	if !x.out.empty() {
		x.queued = true
		c.ready = append(c.ready, x)
	}
	x.wrote()
}

// wrote tells those who write to x that there is room again, or gives x back if
// this was its last output.
func (x *exchange) wrote() {
	if x.stage == stageFree {
		x.recycle()
		return
	}
	x.wake()
	x.drain()
}

// send gives to the socket what is in wire, with mu released meanwhile; but not
// while memory is lent, so that who takes it back knows where it is.
func (c *conn) send() (done bool, err error) {
	buf, body := c.wire.buf, c.wire.body
	if body == nil {
		c.release()
		defer c.mu.Lock()
	}
	return c.sock.Send(buf, body)
}

// sent notes that the last output was written, or that nothing can be.
func (c *conn) sent(err error) {
	c.service.stats.bytesOut.Add(int64(c.wire.size()))
	if c.wire.loan != nil && err == nil {
		c.wire.loan.sent += len(c.wire.body)
	}
	c.wire.drop()
	c.wire = segment{}
	if err != nil {
		c.logSendError(err)
		c.breakDown(fmt.Errorf("%w: %w", ErrDisconnected, err))
	}
}

// recall takes back what was lent.
func (c *conn) recall(l *loan) {
	if l.bytes == 0 {
		return
	}
	if c.wire.loan == l {
		c.sock.Keep()
		l.sent += len(c.wire.body)
		l.giveBack(len(c.wire.body))
		c.wire.body, c.wire.loan = nil, nil
	}
	for _, x := range c.ready {
		x.out.recall(l)
	}
	for _, x := range c.active {
		x.out.recall(l) // that of a filter is not ready while it is held
	}
}

// unqueue takes an exchange's turns away.
func (c *conn) unqueue(x *exchange) {
	if x.queued {
		x.queued = false
		i := slices.Index(c.ready, x)
		c.ready = slices.Delete(c.ready, i, i+1)
	}
}

// dropOutput forgets what was not sent, except what a driver is writing.
func (c *conn) dropOutput() {
	for len(c.ready) > 0 {
		x := c.ready[0]
		c.unqueue(x)
		x.out.drop()
		x.wrote()
	}
}
