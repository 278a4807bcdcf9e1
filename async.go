package fastcgi

import (
	"context"
	"io"
	"unsafe"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An Exchange is one FastCGI request and its response, as an AsyncHandler sees
// it. It is a small handle: copy it, keep it in closures, use it from any
// goroutine. It lives from the end of the request's parameters until Finish;
// afterwards its methods return ErrFinished, or zero values.
//
// Callbacks registered on it run on the loop that owns the connection, one at a
// time, and must not block. A callback that is registered late is called for
// what it missed.
//
// Exchange is a [ResponseWriter] whose Write never blocks.
type Exchange struct {
	conn *conn
	x    *exchange
	gen  uint64
}

// lock takes the connection's mutex and reports whether the request is still
// there. The caller unlocks in any case.
func (ex Exchange) lock() bool {
	ex.conn.mu.Lock()
	return ex.x.is(ex.gen) && ex.x.stage == stageRunning
}

func (ex Exchange) unlock() { ex.conn.unlock() }

// ID returns the request id on its connection (§3.3).
func (ex Exchange) ID() uint16 {
	defer ex.unlock()
	if !ex.lock() {
		return 0
	}
	return ex.x.id
}

// Role returns what the web server wants (§6).
func (ex Exchange) Role() protocol.Role {
	defer ex.unlock()
	if !ex.lock() {
		return 0
	}
	return ex.x.role
}

// Params returns the request's parameters. They may be kept.
func (ex Exchange) Params() Params {
	defer ex.unlock()
	if !ex.lock() {
		return Params{}
	}
	return ex.x.parameters()
}

// Context returns a context that is cancelled as [Request.Context] is.
func (ex Exchange) Context() context.Context {
	defer ex.unlock()
	if !ex.lock() {
		return finishedContext
	}
	return ex.x.context()
}

// Aborted reports whether the answer is not wanted any more.
func (ex Exchange) Aborted() bool {
	defer ex.unlock()
	return !ex.lock() || ex.x.cause != nil
}

// Loop returns the loop that owns the connection.
func (ex Exchange) Loop() Loop {
	c := ex.conn
	return loop{c.service, c.sock.Post}
}

// OnBody registers f for the request's body, FCGI_STDIN (§5.3). It is called
// for each piece as it arrives, and with last true at the end, when chunk may be
// empty. The chunk is valid until f returns. What arrives is not held against
// CONTENT_LENGTH. If the request is cancelled before the body's end there is no
// last call, but OnAbort's.
//
// While f is not registered, or paused by PauseBody, up to Server.StdinBuffer
// bytes wait in memory.
func (ex Exchange) OnBody(f func(chunk []byte, last bool)) {
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.onBody = f
		ex.conn.callBody(ex.x)
	}
}

// OnData registers f for FCGI_DATA, the file that a Filter is to work on
// (§6.4), as OnBody does for the body.
func (ex Exchange) OnData(f func(chunk []byte, last bool)) {
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.onData = f
		ex.conn.callBody(ex.x)
	}
}

// PauseBody stops the calls of OnBody and OnData until ResumeBody, for a handler
// that can not take more at the moment.
func (ex Exchange) PauseBody() {
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.paused = true
	}
}

// ResumeBody ends PauseBody.
func (ex Exchange) ResumeBody() {
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.paused = false
		ex.conn.callBody(ex.x)
	}
}

// ReadAll calls f once with the whole body, at most limit bytes of it, or with
// the reason why there is none: ErrBodyTooLarge, io.ErrUnexpectedEOF if it is
// shorter than CONTENT_LENGTH, or why the request was cancelled. The body is f's to
// keep. ReadAll takes the place of OnBody and OnAbort.
func (ex Exchange) ReadAll(limit int, f func(body []byte, err error)) {
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
	want := bodyLength(ex.Role(), ex.Params())
	ex.OnAbort(finish)
	ex.OnBody(func(chunk []byte, last bool) {
		if done {
			return
		}
		if want >= 0 {
			chunk = chunk[:min(int64(len(chunk)), max(0, want-int64(len(body))))]
		}
		if len(chunk) > limit-len(body) {
			finish(ErrBodyTooLarge)
			return
		}
		body = append(body, chunk...)
		switch {
		case int64(len(body)) == want, last && want < 0:
			finish(nil)
		case last:
			finish(io.ErrUnexpectedEOF)
		}
	})
}

// OnAbort registers f to be called once when the request is cancelled: the web
// server aborted it (§5.4) or closed the connection, or the server is closed.
// The cause is the one that [Request.Context] names. The request still wants its
// Finish.
func (ex Exchange) OnAbort(f func(cause error)) {
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.onAbort, ex.x.async.told = f, false
		if ex.x.cause != nil {
			ex.conn.call(ex.x, callAbort)
		}
	}
}

// OnDrain registers f to be called each time when, after a Write returned
// ErrFull, half of the output buffer is free again.
func (ex Exchange) OnDrain(f func()) {
	defer ex.unlock()
	if ex.lock() {
		ex.x.async.onDrain = f
		ex.x.drain()
	}
}

// Write appends to FCGI_STDOUT (§5.3) without ever waiting: while more than
// 64 KiB are waiting to be sent, or a stream given to SendResponse is, it takes
// nothing and returns ErrFull. What it does take, it takes whole.
func (ex Exchange) Write(p []byte) (int, error) { return ex.write(protocol.TypeStdout, p) }

func (ex Exchange) write(t protocol.RecordType, p []byte) (int, error) {
	defer ex.unlock()
	if err := ex.takes(); err != nil {
		return 0, err
	}
	return ex.x.write(t, p)
}

// WriteString is Write without a copy of what is long, since a string does not
// change.
func (ex Exchange) WriteString(s string) (int, error) {
	defer ex.unlock()
	if err := ex.takes(); err != nil {
		return 0, err
	}
	return ex.x.writeString(s)
}

// respond writes the head of a response and a body that is there already, both or
// none.
func (ex Exchange) respond(head []byte, body string) error {
	defer ex.unlock()
	err := ex.takes()
	if err == nil {
		_, err = ex.x.write(protocol.TypeStdout, head)
	}
	if err == nil {
		_, err = ex.x.writeString(body)
	}
	return err
}

func (x *exchange) writeString(s string) (int, error) {
	p := unsafe.Slice(unsafe.StringData(s), len(s))
	if len(p) < lendSize {
		return x.write(protocol.TypeStdout, p)
	}
	return len(p), x.lend(protocol.TypeStdout, p, nil)
}

// takes locks, and returns why a Write would not take anything.
func (ex Exchange) takes() error {
	if !ex.lock() {
		return ErrFinished
	}
	a := &ex.x.async
	switch {
	case a.finishing:
		return ErrFinished
	case ex.x.failed == nil && (ex.x.out.size >= outputLimit || a.source != nil):
		a.full = true
		return ErrFull
	}
	return nil
}

// Flush sends what was written so far.
func (ex Exchange) Flush() error {
	defer ex.unlock()
	switch {
	case !ex.lock():
		return ErrFinished
	case ex.x.failed != nil:
		return ex.x.failed
	}
	ex.conn.flush(ex.x)
	return nil
}

// Stderr returns a writer to FCGI_STDERR (§5.3), with the limits of Write.
func (ex Exchange) Stderr() io.Writer { return asyncStderr{ex} }

type asyncStderr struct{ ex Exchange }

func (e asyncStderr) Write(p []byte) (int, error) { return e.ex.write(protocol.TypeStderr, p) }

// SetAppStatus sets an appStatus that Finish(0) then leaves as it is.
func (ex Exchange) SetAppStatus(status uint32) {
	defer ex.unlock()
	if ex.lock() {
		ex.x.appStatus = status
	}
}

// Finish ends the request: everything written is sent, then END_REQUEST with
// appStatus, which is what a CGI program would have exited with (§5.5). A stream
// given to SendResponse is sent to its end first. Finish returns ErrFinished if
// it was called before.
func (ex Exchange) Finish(appStatus uint32) error {
	defer ex.unlock()
	if !ex.lock() || ex.x.async.finishing {
		return ErrFinished
	}
	x := ex.x
	if appStatus == 0 {
		appStatus = x.appStatus
	}
	if x.async.source != nil {
		x.async.finishing, x.async.status = true, appStatus
		return nil
	}
	x.finish(appStatus)
	return nil
}
