package fastcgi

import (
	"os"
	"time"
)

// ioDeadlines are until when a handler waits, at most. Few do, so a request has
// none until they are set.
type ioDeadlines struct {
	read, write time.Time // zero: for ever
}

// SetReadDeadline limits how long Read waits, and the Read of Data, those that
// wait already included: after t they return os.ErrDeadlineExceeded. Zero is no
// limit. A later deadline puts things right again.
func (r *Request) SetReadDeadline(t time.Time) error {
	return r.setDeadlines(func(d *ioDeadlines) { d.read = t })
}

// SetWriteDeadline does the same for Write of the request's [ResponseWriter], and
// of its Stderr. What was written before is sent all the same: how long the
// web server may take for that is [Server.WriteTimeout].
func (r *Request) SetWriteDeadline(t time.Time) error {
	return r.setDeadlines(func(d *ioDeadlines) { d.write = t })
}

func (r *Request) setDeadlines(set func(*ioDeadlines)) error {
	x, c := r.x, r.conn
	c.mu.Lock()
	defer c.unlock()
	if !x.is(r.gen) {
		return ErrFinished
	}
	if r.deadlines == nil {
		r.deadlines = new(ioDeadlines)
	}
	set(r.deadlines)
	x.wake() // those who wait are to look
	return nil
}

// readDeadline returns until when to wait for input.
func (r *Request) readDeadline() time.Time {
	if r.deadlines == nil {
		return time.Time{}
	}
	return r.deadlines.read
}

// writeDeadline returns until when to wait for room for output.
func (r *Request) writeDeadline() time.Time {
	if r.deadlines == nil {
		return time.Time{}
	}
	return r.deadlines.write
}

// overdue returns os.ErrDeadlineExceeded after a deadline.
func overdue(deadline time.Time) error {
	if deadline.IsZero() || time.Now().Before(deadline) {
		return nil
	}
	return os.ErrDeadlineExceeded
}

// await waits until the state of the exchange changes, or the deadline comes,
// and may return before: the caller looks again. What is put off until the mutex
// is released can not wait that long, so that is done first.
func (r *Request) await(deadline time.Time) {
	if r.conn.maySend() {
		r.conn.unlock()
		r.conn.mu.Lock()
		return // much may have changed
	}
	if !deadline.IsZero() {
		alarm := time.AfterFunc(time.Until(deadline), func() {
			r.conn.mu.Lock()
			r.changed.Broadcast()
			r.conn.unlock()
		})
		defer alarm.Stop()
	}
	r.changed.Wait()
}
