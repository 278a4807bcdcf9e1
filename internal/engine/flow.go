package engine

import (
	"time"
)

// spillDelay is how long a connection stays paused for a handler that takes
// nothing of its input. FastCGI has no flow control for a single request: while
// the socket is not read, other requests on it cannot even begin. A web server
// that multiplexes would wait; so after a while the input goes to disk instead.
const spillDelay = 100 * time.Millisecond

// The flow of input on a connection: to memory, up to StdinBuffer for each
// stream; then the socket is not read any more, if the request is alone; then
// to disk, if it is not, or may not be. Guarded by conn.mu.
type flow struct {
	mode       flowMode
	paused     bool // the socket is not read
	spillTimer *time.Timer
}

// A flowMode says for whom a connection must go on being read.
type flowMode uint8

const (
	flowAlone    flowMode = iota // one request at a time: its socket can wait for it
	flowSpilling                 // the same, but it was paused for spillDelay: input goes to disk
	flowShared                   // two requests have been active at once: input goes to disk
)

// share notes that two requests are active at once.
func (c *conn) share() { c.mode = flowShared }

// alone notes that a lone request is read, or begins.
func (c *conn) alone() {
	if c.mode == flowSpilling {
		c.mode = flowAlone
	}
}

// spills reports whether input beyond the buffer goes to disk rather than stay in
// the socket.
func (c *conn) spills(x *exchange) bool { return c.mode != flowAlone || x.held() }

// adjustFlow pauses or resumes reading.
func (c *conn) adjustFlow() {
	limit := int64(c.engine.StdinBuffer)
	if c.paused {
		limit = limit/2 + 1
	}
	full := c.answersUntaken()
	pause := c.state.accepts() && (full || c.backlogged(limit))
	switch {
	case pause == c.paused:
	case pause:
		c.paused = true
		c.sock.Pause()
		if !full {
			c.startSpillTimer()
		}
	default:
		c.paused = false
		c.stopSpillTimer()
		c.sock.Resume()
		for _, x := range c.active {
			x.heard = c.clock() // its silence was this side's
		}
		c.schedule(c.clock())
	}
}

// answersUntaken reports whether so much is framed and not sent that whoever asks on
// does not read what it is answered.
func (c *conn) answersUntaken() bool {
	return len(c.replies) >= repliesLimit || len(c.ready) >= c.engine.Protocol.MaxRequests+maxUnsent
}

// backlogged reports whether reading on would only pile up input that the
// socket can keep as well.
func (c *conn) backlogged(limit int64) bool {
	room := c.engine.StdinBuffer + spillQueue
	if c.engine.memory.shared.Exhausted() {
		room = 0
	}
	for _, x := range c.active {
		for _, in := range [...]*input{&x.stdin, x.data} {
			// To wait for a stream that is over would keep back the next, which
			// may be the one that a filter reads.
			switch {
			case in.pending() > 0 && (in.inMemory() >= room || in.spill.stuck):
				return true
			case !in.over() && in.waiting() >= limit && !c.spills(x):
				return true
			}
		}
	}
	return false
}

// startSpillTimer limits the pause on a connection that others might share.
func (c *conn) startSpillTimer() {
	if !c.proto.KeepConn() || c.mode != flowAlone {
		return
	}
	if c.spillTimer == nil {
		c.spillTimer = time.AfterFunc(spillDelay, c.allowSpill)
		return
	}
	c.spillTimer.Reset(spillDelay)
}

func (c *conn) stopSpillTimer() {
	if c.spillTimer != nil {
		c.spillTimer.Stop()
	}
}

func (c *conn) allowSpill() {
	c.enter()
	if c.paused && c.mode == flowAlone {
		c.mode = flowSpilling
		c.adjustFlow()
	}
	c.leave()
}
