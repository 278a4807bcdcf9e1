package engine

import (
	"cmp"
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Call is a goroutine at work on a request: it reads, writes, and waits
// meanwhile. Its methods may be called from any goroutine until the Call has
// ended, and return ErrFinished afterwards, as those of the zero Call do; only one
// at a time should read.
type Call struct {
	Ref
	waiting   sync.Cond    // the exchange's, from the first wait on
	deadlines *ioDeadlines // guarded by conn.mu; nil if there are none
	hijacked  bool         // the request outlives its handler; guarded by conn.mu
}

// RefOf returns what names the request of a Call: the zero Ref for none.
func RefOf(c *Call) Ref {
	if c == nil {
		return Ref{}
	}
	return c.Ref
}

// A Begun is a request as a blocking handler gets it.
type Begun struct {
	Ref    Ref
	ID     uint16
	Role   protocol.Role
	Params protocol.Pairs
}

// begin returns x for a blocking handler.
func (x *exchange) begin() Begun { return Begun{x.ref(), x.id, x.role, x.parameters()} }

// Run has a worker run the task that h makes of the request.
func (r Ref) Run(h func(Begun) Task) {
	x, ok := r.enter()
	var b Begun
	if ok {
		b = x.begin()
	}
	r.leave()
	if ok {
		r.conn.engine.workers.run(h(b))
	}
}

// An Outcome is how a handler has ended.
type Outcome struct {
	Returned bool // else it has panicked, or ended its goroutine (runtime.Goexit)
	Panic    any  // from recover
}

// End ends the request, also after a panic. It is called in a deferred function.
func (c *Call) End(o Outcome) {
	reason, stack := notReturned(o.Returned, o.Panic)
	x, ok := c.enter()
	defer c.leave()
	switch {
	case reason == nil && c.hijacked:
		c.handlerLeft(x, ok)
	case reason != nil && !ok:
		c.conn.logPanic(reason, stack, "request", "ended")
	case reason != nil:
		c.release(x.afterPanic(reason, stack))
	case ok:
		c.release(x.afterReturn())
	}
}

// handlerLeft is the end of a handler whose request goes on, as a hijacked
// connection. The context is over then in net/http, too.
func (c *Call) handlerLeft(x *exchange, ok bool) {
	if ok {
		x.context() // for those who ask later
		x.cancel(context.Canceled)
	}
}

// enter is Ref.enter, also for no Call at all.
func (c *Call) enter() (*exchange, bool) {
	if c == nil {
		return nil, false
	}
	return c.Ref.enter()
}

func (c *Call) leave() {
	if c != nil {
		c.Ref.leave()
	}
}

// Read reads a stream of input, STDIN or DATA. It waits for bytes to arrive, and
// returns io.EOF at the end, io.ErrUnexpectedEOF if that comes before the announced
// length or the connection has ended, or why the request was cancelled.
func (c *Call) Read(t protocol.RecordType, p []byte) (int, error) {
	x, ok := c.enter()
	defer c.leave()
	for {
		in, err := c.readable(x, ok, t)
		if err != nil || len(p) == 0 {
			return 0, err
		}
		n, err := in.read(p)
		if n > 0 {
			c.conn.consumed(x)
		}
		if n > 0 || err != nil {
			return n, err
		}
		ok = c.awaitInput(x)
	}
}

// WriteTo hands the rest of a stream on to w, in the buffers that it arrived in.
// It returns what Read would, nil for io.EOF.
func (c *Call) WriteTo(t protocol.RecordType, w io.Writer) (n int64, err error) {
	for {
		piece, buf, err := c.take(t)
		m, writeErr := writeAll(w, piece)
		pool.Put(buf)
		n += int64(m)
		switch {
		case writeErr != nil:
			return n, writeErr
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, err
		}
	}
}

// writeAll writes p, if it is something.
func writeAll(w io.Writer, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}

// take waits for a piece of a stream, as Read does, and takes it with its buffer,
// which goes back to the pool.
func (c *Call) take(t protocol.RecordType) (piece, buf []byte, err error) {
	x, ok := c.enter()
	defer c.leave()
	for {
		in, err := c.readable(x, ok, t)
		if err != nil {
			return nil, nil, err
		}
		piece, buf, err = in.take()
		if len(piece) > 0 {
			c.conn.consumed(x)
		}
		if len(piece) > 0 || err != nil {
			return piece, buf, err
		}
		ok = c.awaitInput(x)
	}
}

// awaitInput waits for more input, and reports whether there still is a request.
func (c *Call) awaitInput(x *exchange) bool {
	// A handler with deadlines of its own has those.
	limited := c.deadlines == nil || !c.deadlines.readSet
	if limited {
		x.readers++
		x.await()
	}
	c.await(x, c.readDeadline())
	ok := x.serves(c.gen)
	if ok && limited {
		x.readers--
	}
	return ok
}

// readable returns a stream of the request, or why it cannot be read any more.
func (c *Call) readable(x *exchange, ok bool, t protocol.RecordType) (*input, error) {
	switch {
	case !ok:
		return nil, ErrFinished
	case x.failed != nil:
		return nil, x.failed
	}
	return x.inputOf(t), overdue(c.readDeadline())
}

// Write hands p on to STDOUT or STDERR as there is room for it, and waits while
// there is none.
func (c *Call) Write(t protocol.RecordType, p []byte) (n int, err error) {
	return c.write(t, p, false)
}

// write is Write, which is refused if it is to be the first to STDOUT and is not.
func (c *Call) write(t protocol.RecordType, p []byte, first bool) (n int, err error) {
	x, ok := c.enter()
	defer c.leave()
	for {
		if err := c.usable(x, ok); err != nil {
			return n, err
		}
		if first && n == 0 && x.taken() {
			return 0, ErrResponded
		}
		if len(p)-n >= byReference {
			k, err := c.lend(x, t, p[n:])
			if n += k; n == len(p) || err != nil {
				return n, err
			}
			ok = x.serves(c.gen)
			continue
		}
		want := min(len(p)-n, max(0, outputLimit-x.out.size))
		room := c.conn.outputRoom(want)
		k, err := x.write(t, p[n:n+room])
		n += k
		if n == len(p) || err != nil {
			return n, err
		}
		if room < want {
			x.awaitMemory()
		}
		c.await(x, c.writeDeadline())
		ok = x.serves(c.gen)
	}
}

// lend sends from p, or from as much of it as is lent at once, without a copy, and
// waits until that is done.
func (c *Call) lend(x *exchange, t protocol.RecordType, p []byte) (int, error) {
	p = p[:min(len(p), maxLoan)]
	l := &loan{changed: c.condOf(x)}
	err := x.refer(t, p, l)
	for l.bytes > 0 && err == nil {
		c.await(x, c.writeDeadline())
		err = c.usable(x, x.serves(c.gen))
	}
	c.conn.recall(l)
	if l.sent == len(p) { // that was in time
		err = nil
		if !x.serves(c.gen) {
			err = ErrFinished
		} else if x.failed != nil {
			err = x.failed
		}
	}
	return l.sent, err
}

// usable returns why the request cannot be written to any more.
func (c *Call) usable(x *exchange, ok bool) error {
	if !ok {
		return ErrFinished
	}
	return cmp.Or(x.writable(), overdue(c.writeDeadline()))
}

// SetAppStatus sets the appStatus that the request ends with, if it goes on.
func (c *Call) SetAppStatus(status uint32) {
	x, ok := c.enter()
	defer c.leave()
	if ok && x.writable() == nil {
		x.appStatus = status
	}
}

// await waits until the state of the exchange changes, or the deadline comes,
// and may return before: the caller looks again. What is put off until the mutex
// is given back cannot wait that long, so that is done first.
func (c *Call) await(x *exchange, deadline time.Time) {
	if c.conn.maySend() || c.conn.effects.any() {
		c.leave()
		c.Ref.enter()
		return // much may have changed
	}
	changed := c.condOf(x)
	if !deadline.IsZero() {
		alarm := time.AfterFunc(time.Until(deadline), func() {
			c.conn.enter()
			changed.Broadcast()
			c.conn.leave()
		})
		defer alarm.Stop()
	}
	changed.Wait()
}

// condOf returns what tells of changes of the exchange.
func (c *Call) condOf(x *exchange) *sync.Cond {
	if x.changed == nil {
		c.waiting.L = &c.conn.mu
		x.changed = &c.waiting
	}
	return x.changed
}

// ioDeadlines are until when a handler waits, at most. Few do, so a request has
// none until they are set.
type ioDeadlines struct {
	read, write time.Time // zero: for ever
	readSet     bool      // read was set, if only to zero
}

// SetReadDeadline limits how long Read waits.
func (c *Call) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(func(d *ioDeadlines) { d.read, d.readSet = t, true })
}

// SetWriteDeadline limits how long Write waits.
func (c *Call) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(func(d *ioDeadlines) { d.write = t })
}

// SetDeadline is both.
func (c *Call) SetDeadline(t time.Time) error {
	return c.setDeadlines(func(d *ioDeadlines) { *d = ioDeadlines{t, t, true} })
}

func (c *Call) setDeadlines(set func(*ioDeadlines)) error {
	x, ok := c.enter()
	defer c.leave()
	if !ok {
		return ErrFinished
	}
	if c.deadlines == nil {
		c.deadlines = new(ioDeadlines)
	}
	set(c.deadlines)
	x.wake() // those who wait are to look
	return nil
}

// readDeadline returns until when to wait for input.
func (c *Call) readDeadline() time.Time {
	if c.deadlines == nil {
		return time.Time{}
	}
	return c.deadlines.read
}

// writeDeadline returns until when to wait for room for output.
func (c *Call) writeDeadline() time.Time {
	if c.deadlines == nil {
		return time.Time{}
	}
	return c.deadlines.write
}

// overdue returns os.ErrDeadlineExceeded after a deadline.
func overdue(deadline time.Time) error {
	if deadline.IsZero() || time.Now().Before(deadline) {
		return nil
	}
	return os.ErrDeadlineExceeded
}

// Arrived returns how many bytes of the body wait to be read, and whether these
// are the last.
func (c *Call) Arrived() (n int64, ended bool) {
	x, ok := c.enter()
	defer c.leave()
	if !ok {
		return 0, true
	}
	return x.stdin.waiting(), x.stdin.ended
}

// Hijack has the request outlive its handler: it goes on until Finish. Its body
// has no length then, whatever CONTENT_LENGTH said. Refuse, if it returns an error,
// keeps that from happening; it is told whether the web server has ended the input.
func (c *Call) Hijack(refuse func(inputEnded bool) error) error {
	x, ok := c.enter()
	defer c.leave()
	switch {
	case !ok:
		return ErrFinished
	case x.failed != nil:
		return x.failed
	}
	if err := refuse(x.stdin.ended); err != nil {
		return err
	}
	c.hijacked = true
	x.upgrade()
	return nil
}
