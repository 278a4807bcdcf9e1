package engine

import (
	"errors"
	"io"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// callbacks are what an async handler registered on its request, and what is due
// of them.
type callbacks struct {
	body, data sink
	onAbort    func(cause error) // nil once it was called
	onRoom     func()
	onShutdown func() // nil once it was called
	source     Source
	paused     bool // PauseBody
	noticed    bool // a noticeInput is due, or will be
	full       bool // a write was refused: onRoom is due
	stalled    bool // source waits for room
}

// A sink takes a stream of input piece by piece.
type sink struct {
	f    func(chunk []byte, last bool)
	done bool // it has seen the last piece
}

// open reports whether the sink waits for input.
func (s *sink) open() bool { return s.f != nil && !s.done }

// panicked ends the request after a panic, and closes its stream.
func (r Ref) panicked(reason any, stack []byte) {
	x, ok := r.enter()
	var src Source
	if ok {
		src = x.async.source
		x.panicked(reason, stack)
	}
	r.leave()
	if !ok {
		r.conn.engine.logPanic(reason, stack, "request", "ended")
	}
	if src != nil {
		r.conn.engine.Apart(src.Close) // nobody else contains it here
	}
}

// OnBody registers f for FCGI_STDIN, OnData for FCGI_DATA.
func (r Ref) OnBody(f func(chunk []byte, last bool)) { r.register(func(a *callbacks) { a.body.f = f }) }

// OnData is OnBody for FCGI_DATA.
func (r Ref) OnData(f func(chunk []byte, last bool)) { r.register(func(a *callbacks) { a.data.f = f }) }

// PauseBody stops the calls of OnBody's and OnData's functions until ResumeBody.
func (r Ref) PauseBody() { r.register(func(a *callbacks) { a.paused = true }) }

// ResumeBody ends PauseBody.
func (r Ref) ResumeBody() { r.register(func(a *callbacks) { a.paused = false }) }

func (r Ref) register(set func(*callbacks)) {
	x, ok := r.enter()
	defer r.leave()
	if ok {
		set(&x.async)
		r.conn.notifyBody(x)
		x.await()
	}
}

// OnAbort registers f to be called once when the request is cancelled.
func (r Ref) OnAbort(f func(cause error)) {
	x, ok := r.enter()
	defer r.leave()
	if ok {
		x.async.onAbort = f
		if x.cause != nil {
			r.conn.notify(x, noticeAbort)
		}
	}
}

// OnRoom registers f to be called each time when, after a write returned ErrFull,
// half of the output buffer is free again.
func (r Ref) OnRoom(f func()) {
	x, ok := r.enter()
	defer r.leave()
	if ok {
		x.async.onRoom = f
		x.tellRoom()
	}
}

// OnShutdown registers f to be called once when the server begins to shut down.
func (r Ref) OnShutdown(f func()) {
	x, ok := r.enter()
	defer r.leave()
	if ok {
		x.async.onShutdown = f
		r.conn.notifyShutdown(x)
	}
}

// Draining returns a channel that is closed when the server begins to shut down,
// nil for the zero Ref.
func (r Ref) Draining() <-chan struct{} {
	if r.conn == nil {
		return nil
	}
	return r.conn.engine.drainBegun
}

// notifyShutdown notes that the server shuts down, if it does.
func (c *conn) notifyShutdown(x *exchange) {
	if x.async.onShutdown != nil && c.engine.Draining() {
		c.notify(x, noticeShutdown)
	}
}

// callShutdown calls OnShutdown's callback, once.
func (r Ref) callShutdown() {
	if f := r.shutdownCallback(); f != nil {
		f()
	}
}

func (r Ref) shutdownCallback() func() {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return nil
	}
	f := x.async.onShutdown
	x.async.onShutdown = nil
	return f
}

// notifyBody notes that there is input for callbacks.
func (c *conn) notifyBody(x *exchange) {
	a := &x.async
	if a.noticed || a.paused || !a.body.open() && !a.data.open() {
		return
	}
	a.noticed = true
	c.notify(x, noticeInput)
}

// deliver gives input to the callbacks until there is no more, or others are to
// have their turn.
func (r Ref) deliver() {
	for range turnPieces {
		f, chunk, buf, last := r.nextChunk()
		if f == nil {
			return
		}
		f(chunk, last)
		pool.Put(buf)
	}
	x, ok := r.enter()
	defer r.leave()
	if ok {
		x.async.noticed = true
		r.conn.notifyLater(x, noticeInput)
	}
}

// nextChunk returns the callback to call next and what to call it with.
func (r Ref) nextChunk() (f func([]byte, bool), chunk, buf []byte, last bool) {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return nil, nil, nil, false
	}
	a := &x.async
	a.noticed = false
	if a.paused || x.failed != nil {
		return nil, nil, nil, false
	}
	for _, s := range []struct {
		sink *sink
		in   *input
	}{{&a.body, &x.stdin}, {&a.data, x.data}} {
		if !s.sink.open() {
			continue
		}
		if chunk, buf, last = x.nextPiece(s.in); last || len(chunk) > 0 {
			s.sink.done = last
			return s.sink.f, chunk, buf, last
		}
	}
	return nil, nil, nil, false
}

// nextPiece takes a piece of a stream, and reports whether it is the last. A
// stream that ends too soon has no last piece: the request is cancelled.
func (x *exchange) nextPiece(in *input) (chunk, buf []byte, last bool) {
	x.measure()
	chunk, buf, err := in.take()
	if len(chunk) > 0 {
		x.conn.consumed(x)
		return chunk, buf, in.whole()
	}
	switch {
	case err == io.EOF:
		return nil, nil, true
	case err != nil && x.cause == nil:
		x.cutShort(err)
	}
	return nil, nil, false
}

// cutShort is for a body that ended too soon. A handler that does not ask for
// OnAbort would never hear of it, so its request ends here.
func (x *exchange) cutShort(err error) {
	if x.async.onAbort == nil {
		page := 400
		if err == ErrBodyTimeout {
			page = 408
		}
		x.end(evRelease, ending{page: page, appStatus: failedStatus, cause: err})
		return
	}
	x.setCause(err)
}

// ReadAll calls f once with the whole body, at most limit bytes of it, or with
// the reason why there is none. It takes the place of OnBody and OnAbort.
func (r Ref) ReadAll(limit int, f func(body []byte, err error)) {
	var body []byte
	done := false
	finish := func(err error) {
		if done {
			return
		}
		done = true
		if err != nil {
			body = nil
		}
		f(body, err)
	}
	r.OnAbort(func(cause error) {
		if errors.Is(cause, io.ErrUnexpectedEOF) {
			cause = io.ErrUnexpectedEOF
		}
		finish(cause)
	})
	r.OnBody(func(chunk []byte, last bool) {
		switch {
		case done:
		case len(chunk) > limit-len(body):
			finish(ErrBodyTooLarge)
		default:
			body = append(body, chunk...)
			if last {
				finish(nil)
			}
		}
	})
}

// callAbort calls OnAbort's callback, once.
func (r Ref) callAbort() {
	if f, cause := r.abortCallback(); f != nil {
		f(cause)
	}
}

func (r Ref) abortCallback() (func(error), error) {
	x, ok := r.enter()
	defer r.leave()
	if !ok || x.async.onAbort == nil || x.cause == nil {
		return nil, nil
	}
	f := x.async.onAbort
	x.async.onAbort = nil
	return f, x.cause
}

// callRoom goes on with what had to wait for room.
func (r Ref) callRoom() {
	r.pump()
	if f := r.roomCallback(); f != nil {
		f()
	}
}

func (r Ref) roomCallback() func() {
	x, ok := r.enter()
	defer r.leave()
	if !ok || !x.roomDue() {
		return nil
	}
	x.async.full = false
	return x.async.onRoom
}

// roomDue reports whether a write was refused and the next would not be.
func (x *exchange) roomDue() bool {
	a := &x.async
	return a.full && a.source == nil && a.onRoom != nil && x.out.size <= outputLow
}

// tellRoom notes that there is room for what had to wait for it.
func (x *exchange) tellRoom() {
	if x.roomDue() || x.async.stalled && x.out.size <= outputLow {
		x.async.stalled = false
		x.conn.notify(x, noticeRoom)
	}
}
