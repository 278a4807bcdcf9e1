package engine

import (
	"fmt"
	"slices"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	// outputLimit is how many bytes a request may have written that are not
	// on their way yet; beyond, a sync handler waits and an async one gets
	// ErrFull.
	outputLimit = 64 << 10
	// outputLow is how far they must have fallen for OnRoom.
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
	inFlight segment     // what the socket has been given; no buf: nothing
	sending  bool        // somebody is giving it to the socket, without the mutex
	urgency  urgency
	refused  int // requests that the protocol has refused, as far as they were logged
}

// An urgency says when what waits is to be sent.
type urgency uint8

const (
	sendNothing urgency = iota
	sendSoon            // when whoever holds the mutex leaves; the loop, at the end of its turn
	sendNow             // there is so much that the loop does not wait for more
)

// enqueue gives an exchange its turns until its output is sent.
func (c *conn) enqueue(x *exchange) {
	if x.out.empty() || x.held() {
		return
	}
	c.urge(sendSoon)
	if x.out.size >= flushSize {
		c.urge(sendNow)
	}
	if !x.inTurn {
		x.inTurn = true
		c.ready = append(c.ready, x)
	}
}

func (c *conn) urge(u urgency) { c.urgency = max(c.urgency, u) }

// repliesLimit is how many bytes of replies may wait until no more questions are
// read (a flood of GET_VALUES from a peer that does not read the answers).
const repliesLimit = 64 << 10

// maxUnsent is how many answers, beside those of as many requests as may be active,
// wait to be sent until no more requests are read: from a peer that asks, and does
// not read what it is answered.
const maxUnsent = 100

// makeReplies makes the buffer of replies, which only those who are owed some have.
func (c *conn) makeReplies() {
	if c.replies == nil {
		c.replies = pool.Get(0)
	}
}

// replyEnd ends a request that no handler has had among the replies, which are
// bounded.
func (c *conn) replyEnd(x *exchange, e ending) {
	c.makeReplies()
	if e.page != 0 {
		// It fails after the end of STDOUT only, which was not sent.
		c.replies, _ = c.proto.Send(c.replies, protocol.TypeStdout, x.id, c.engine.ErrorPage(e.page))
	}
	c.unreadBody = true // it may be, for little is known of such a request
	c.noteUnread(x)
	var err error
	c.replies, err = c.proto.EndRequest(c.replies, x.id, protocol.EndRequest{AppStatus: e.appStatus, Status: e.status})
	if err != nil {
		c.logError("cannot end request", "error", err)
	}
	c.urge(sendSoon)
}

// takeReplies puts what the protocol answered on its own before what handlers
// did.
func (c *conn) takeReplies() {
	if !c.proto.HasReplies() {
		return
	}
	c.makeReplies()
	c.replies = c.proto.TakeReplies(c.replies)
	c.urge(sendSoon)
	// One may be a refusal, and the rest of the refused request on its way.
	c.unreadInput, c.unreadBody = true, true
	c.logRefusals()
	c.adjustFlow()
}

// logRefusals logs that the protocol has refused a request.
func (c *conn) logRefusals() {
	n, status := c.proto.Refused()
	for ; c.refused < n; c.refused++ {
		c.complain(complainRefused, "request refused", "reason", status)
	}
}

// sendsAnything reports whether output is left, in whatever state.
func (c *conn) sendsAnything() bool {
	return c.broken == nil && (c.inFlight.buf != nil || len(c.ready) > 0 || len(c.replies) > 0)
}

// sendsAnswer is sendsAnything for what requests have written.
func (c *conn) sendsAnswer() bool {
	return c.broken == nil && (c.inFlight.buf != nil && !c.inFlight.reply || len(c.ready) > 0)
}

// maySend reports whether there is something for the caller to send. It waits while
// somebody else is sending, and while the loop is at work on the connection, which
// may bring more; unless there is much already, and its turn not over.
func (c *conn) maySend() bool {
	return c.urgency > sendNothing && c.inFlight.buf == nil && c.broken == nil &&
		(!c.inTurn || c.urgency == sendNow && c.turnLeft > 0)
}

// sendLater leaves it to the loop to send what there is, in a turn to come.
func (c *conn) sendLater() {
	if c.maySend() && !c.posted {
		c.posted = true
		c.sock.Post(c.runDue)
	}
}

// nextOutput puts into inFlight what the caller is to give to the socket, and
// reports whether that is anything: what the protocol owes, or the next turns of
// requests, of which short ones share a write.
func (c *conn) nextOutput() bool {
	if !c.maySend() {
		return false
	}
	if c.owesGoodbye && len(c.ready) == 0 {
		c.sayGoodbye()
	}
	if len(c.replies) > 0 {
		c.inFlight, c.replies = segment{buf: c.replies, reply: true}, nil
		c.adjustFlow()
		return true
	}
	full := c.paused
	for len(c.ready) > 0 && c.inFlight.body == nil && len(c.inFlight.buf)+c.ready[0].out.first() <= segmentSize {
		c.nextTurn()
	}
	if full {
		c.adjustFlow()
	}
	c.urgency = sendNothing
	if len(c.ready) > 0 || c.owesGoodbye {
		c.urgency = sendSoon
	}
	return c.inFlight.buf != nil
}

// nextTurn takes a segment from the exchange whose turn it is.
func (c *conn) nextTurn() {
	x := c.ready[0]
	c.unqueue(x)
	seg := x.out.take()
	if c.inFlight.buf == nil {
		c.inFlight = seg
	} else {
		before := cap(c.inFlight.buf)
		c.inFlight.buf = append(pool.Grow(c.inFlight.buf, len(seg.buf)), seg.buf...)
		c.holdOutput(cap(c.inFlight.buf) - before - cap(seg.buf))
		c.inFlight.body, c.inFlight.loan = seg.body, seg.loan
		pool.Put(seg.buf)
	}
	if !x.out.empty() {
		x.inTurn = true
		c.ready = append(c.ready, x)
	}
	x.wrote()
}

// wrote tells those who write to x that there is room again, or gives x back if
// this was its last output.
func (x *exchange) wrote() {
	if x.state == stateFree {
		x.recycle()
		return
	}
	x.wake()
	x.tellRoom()
}

// sent notes that the last output was written, or that nothing can be.
func (c *conn) sent(err error) {
	c.engine.counters.bytesOut.Add(int64(c.inFlight.size()))
	if l := c.inFlight.loan; l != nil && err == nil {
		l.sent += len(c.inFlight.body)
	}
	if !c.inFlight.reply {
		c.holdOutput(-cap(c.inFlight.buf))
		c.wakeForOwn()
	}
	c.inFlight.drop()
	c.inFlight = segment{}
	if err != nil {
		c.logSendError(err)
		c.fail(fmt.Errorf("%w: %w", ErrDisconnected, err))
	}
}

// send gives to the socket what is in flight, without the mutex meanwhile.
func (c *conn) send() (done bool, err error) {
	head, body, l := c.inFlight.buf, c.inFlight.body, c.inFlight.loan
	c.sending = true
	last := c.sendsLast()
	c.release()
	if last {
		c.sock.Cork()
	}
	done, err = c.sock.Send(head, body)
	c.enter()
	c.sending = false
	if l != nil {
		l.changed.Broadcast() // for recall
	}
	return done, err
}

// recall takes back what was lent.
func (c *conn) recall(l *loan) {
	for c.inFlight.loan == l && c.sending {
		l.changed.Wait() // for a moment: to send never waits
	}
	if c.inFlight.loan == l {
		c.sock.Keep()
		l.sent += len(c.inFlight.body)
		l.giveBack(len(c.inFlight.body))
		c.inFlight.body, c.inFlight.loan = nil, nil
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
	if x.inTurn {
		x.inTurn = false
		i := slices.Index(c.ready, x)
		c.ready = slices.Delete(c.ready, i, i+1)
	}
}

// dropOutputOf forgets what an exchange has written.
func (c *conn) dropOutputOf(x *exchange) {
	c.unqueue(x)
	before := x.out.held
	x.out.drop()
	c.holdOutput(x.out.held - before)
}

// dropOutput forgets what was not sent, except what a driver is writing.
func (c *conn) dropOutput() {
	for len(c.ready) > 0 {
		x := c.ready[0]
		c.dropOutputOf(x)
		x.wrote()
	}
}
