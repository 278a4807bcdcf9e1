package fastcgi

import "github.com/simple-fastcgi/fastcgi/internal/pool"

// callbacks are what an async handler registered on its exchange.
type callbacks struct {
	onBody    func(chunk []byte, last bool)
	onData    func(chunk []byte, last bool)
	onAbort   func(cause error)
	onDrain   func()
	paused    bool // PauseBody
	noted     bool // a callInput is pending, or will be
	bodyDone  bool // onBody has seen the last chunk
	dataDone  bool
	told      bool // onAbort was called
	full      bool // a Write was refused: onDrain is due
	source    source
	stalled   bool // source waits for room
	finishing bool // Finish was called while source has more
	status    uint32
}

// start hands the request to its handler.
func (ex Exchange) start() {
	if !ex.lock() {
		ex.unlock()
		return
	}
	h := ex.conn.service.handlers[ex.x.role]
	ex.unlock()
	if h.async == nil {
		ex.runSync(h.sync)
		return
	}
	defer ex.recover()
	h.async.ServeAsync(ex)
}

// recover ends a request one of whose callbacks panicked.
func (ex Exchange) recover() {
	reason, stack := panicStack(recover())
	if reason == nil {
		return
	}
	var src source
	if ex.lock() {
		src = ex.x.async.source
		ex.x.panicked(reason, stack)
		ex.x.release()
	} else {
		ex.conn.service.panicked(reason, stack, "request", "ended")
	}
	ex.unlock()
	if src != nil {
		src.close()
	}
}

// callBody notes that there is input for callbacks.
func (c *conn) callBody(x *exchange) {
	a := &x.async
	if a.noted || a.paused || a.onBody == nil && a.onData == nil {
		return
	}
	a.noted = true
	c.call(x, callInput)
}

// deliver gives input to the callbacks until there is no more, or others are to
// have their turn.
func (ex Exchange) deliver() {
	defer ex.recover()
	for range turnPieces {
		f, chunk, buf, last := ex.nextChunk()
		if f == nil {
			return
		}
		f(chunk, last)
		pool.Put(buf)
	}
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.noted = true
		ex.conn.yield(ex.x, callInput)
	}
}

// nextChunk returns the callback to call next and what to call it with.
func (ex Exchange) nextChunk() (f func([]byte, bool), chunk, buf []byte, last bool) {
	defer ex.unlock()
	if !ex.lock() {
		return nil, nil, nil, false
	}
	x, a := ex.x, &ex.x.async
	a.noted = false
	if a.paused || x.failed != nil {
		return nil, nil, nil, false
	}
	if a.onBody != nil && !a.bodyDone {
		if chunk, buf, last = x.nextPiece(&x.stdin); last || len(chunk) > 0 {
			a.bodyDone = last
			return a.onBody, chunk, buf, last
		}
	}
	if a.onData != nil && !a.dataDone {
		if chunk, buf, last = x.nextPiece(x.data); last || len(chunk) > 0 {
			a.dataDone = last
			return a.onData, chunk, buf, last
		}
	}
	return nil, nil, nil, false
}

// nextPiece takes a piece of in, and reports whether it is the last.
func (x *exchange) nextPiece(in *input) (chunk, buf []byte, last bool) {
	if in.waiting() == 0 {
		return nil, nil, in.ended
	}
	chunk, buf, err := in.take()
	if err != nil {
		x.conn.overflow(x, err)
		return nil, nil, false
	}
	x.conn.consumed(x)
	return chunk, buf, in.ended && in.waiting() == 0
}

// aborted calls OnAbort's callback, once.
func (ex Exchange) aborted() {
	defer ex.recover()
	if f, cause := ex.abortCallback(); f != nil {
		f(cause)
	}
}

func (ex Exchange) abortCallback() (func(error), error) {
	defer ex.unlock()
	a := &ex.x.async
	if !ex.lock() || a.told || a.onAbort == nil || ex.x.cause == nil {
		return nil, nil
	}
	a.told = true
	return a.onAbort, ex.x.cause
}

// drained goes on with what had to wait for room.
func (ex Exchange) drained() {
	defer ex.recover()
	ex.pump()
	if f := ex.drainCallback(); f != nil {
		f()
	}
}

func (ex Exchange) drainCallback() func() {
	defer ex.unlock()
	if !ex.lock() || !ex.x.drainDue() {
		return nil
	}
	ex.x.async.full = false
	return ex.x.async.onDrain
}

// drainDue reports whether a Write was refused and the next would not be.
func (x *exchange) drainDue() bool {
	a := &x.async
	return a.full && a.source == nil && a.onDrain != nil && x.out.size <= outputLow
}

// drain notes that there is room for what had to wait for it.
func (x *exchange) drain() {
	if x.drainDue() || x.async.stalled && x.out.size <= outputLow {
		x.async.stalled = false
		x.conn.call(x, callDrain)
	}
}
