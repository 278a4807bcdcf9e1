package fastcgi

import (
	"errors"
	"fmt"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/spool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// pausePatience is how long a connection stays paused for a handler that takes
// nothing of its input. FastCGI has no flow control for a single request: while
// the socket is not read, other requests on it can not even begin. A web server
// that multiplexes would wait; so after a while the input goes to disk instead.
const pausePatience = 100 * time.Millisecond

// The flow of input on a connection: to memory, up to StdinBuffer for each
// stream; then the socket is not read any more, if the request is alone; then
// to disk, if it is not, or may not be. Guarded by conn.mu.
type flow struct {
	paused      bool
	keepConn    bool // the last request asked to keep the connection
	multiplexed bool // two requests have been active at once
	impatient   bool // paused for too long: to disk
	patience    *time.Timer
}

// input takes a piece of STDIN or DATA, or its end.
func (c *conn) input(x *exchange, in *input, ev protocol.Event) {
	switch {
	case x.failed != nil:
		return
	case ev.End:
		in.ended = true
		c.flush(x) // a filter may begin to answer
	default:
		c.store(x, in, ev.Data)
	}
	x.wake()
	c.callBody(x)
	c.adjustFlow()
}

// store keeps a piece of input until it is read.
func (c *conn) store(x *exchange, in *input, p []byte) {
	if len(in.tail) > 0 {
		in.pushTail(p)
		return
	}
	if !in.spilling() && !(c.mustSpill(x) && in.buffered() >= c.service.stdinBuffer) && x.charge(len(p)) {
		in.push(p)
		return
	}
	err := in.pushSpill(p, c.service.spoolDir, c.service.spool)
	switch {
	case err == nil:
	case errors.Is(err, spool.ErrFull) && !c.multiplexed && !x.held():
		in.pushTail(p)
	case errors.Is(err, spool.ErrFull):
		c.overflow(x, ErrSpoolFull)
	default:
		c.overflow(x, fmt.Errorf("fastcgi: cannot spool input: %w", err))
	}
}

// mustSpill reports whether input beyond the buffer goes to disk rather than
// stay in the socket.
func (c *conn) mustSpill(x *exchange) bool {
	return c.multiplexed || c.impatient || x.held()
}

// overflow ends a request whose input there is no place for, so that it hurts
// no other. Its handler learns from its context.
func (c *conn) overflow(x *exchange, cause error) {
	c.service.stats.overflowed.Add(1)
	c.service.log.Warn("fastcgi: request ended", "error", cause, "request", x.id, "remote", c.sock.RemoteAddr())
	x.cancelled(cause)
	x.failed = cause
	x.stopSource()
	if x.stage == stageWaiting {
		c.service.gate.cancel(x)
	}
	x.answerError(507, 1)
	if x.stage == stageWaiting {
		x.release()
	}
}

// consumed notes that a handler took some of a request's input.
func (c *conn) consumed(x *exchange) {
	x.settle()
	c.impatient = false
	c.adjustFlow()
}

// adjustFlow pauses or resumes reading.
func (c *conn) adjustFlow() {
	limit := int64(c.service.stdinBuffer)
	if c.paused {
		limit = limit/2 + 1
	}
	full := len(c.replies) >= repliesLimit
	pause := c.state == connOpen && (full || c.backlogged(limit))
	switch {
	case pause == c.paused:
	case pause:
		c.paused = true
		c.sock.Pause()
		if !full {
			c.startPatience()
		}
	default:
		c.paused = false
		c.stopPatience()
		c.sock.Resume()
	}
}

// backlogged reports whether reading on would only pile up input that the
// socket can keep as well.
func (c *conn) backlogged(limit int64) bool {
	for _, x := range c.active {
		for _, in := range []*input{&x.stdin, x.data} {
			// To wait for a stream that is over would keep back the next, which
			// may be the one that a filter reads.
			if len(in.tail) > 0 || !in.over() && in.waiting() >= limit && !c.mustSpill(x) {
				return true
			}
		}
	}
	return false
}

// startPatience limits the pause on a connection that others might share.
func (c *conn) startPatience() {
	if !c.keepConn || c.impatient {
		return
	}
	if c.patience == nil {
		c.patience = time.AfterFunc(pausePatience, c.outOfPatience)
		return
	}
	c.patience.Reset(pausePatience)
}

func (c *conn) stopPatience() {
	if c.patience != nil {
		c.patience.Stop()
	}
}

func (c *conn) outOfPatience() {
	c.mu.Lock()
	if c.paused {
		c.impatient = true
		c.adjustFlow()
	}
	c.unlock()
}
