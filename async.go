package fastcgi

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An Exchange is one FastCGI request and its response, as an AsyncHandler sees
// it. It is a small handle: copy it, keep it in closures or as the key of a map,
// use it from any goroutine. It lives from the end of the request's parameters until
// Finish; afterwards its methods return ErrFinished, or zero values.
//
// Callbacks registered on it run on the loop that owns the connection, one at a
// time, and must not block. A callback that is registered late is called for
// what it missed.
//
// Exchange is a [ResponseWriter] whose Write never blocks.
type Exchange struct{ ref engine.Ref }

// ID returns the request id on its connection (§3.3).
func (ex Exchange) ID() uint16 { return ex.ref.ID() }

// Role returns what the web server wants (§6).
func (ex Exchange) Role() protocol.Role { return ex.ref.Role() }

// Params returns the request's parameters. They may be kept.
func (ex Exchange) Params() Params { return Params{ex.ref.Params()} }

// Context returns a context that is cancelled as [Request.Context] is.
func (ex Exchange) Context() context.Context { return ex.ref.Context() }

// Aborted reports whether the answer is not wanted any more.
func (ex Exchange) Aborted() bool { return ex.ref.Aborted() }

// Loop returns the loop that owns the connection.
func (ex Exchange) Loop() Loop { return ex.ref.Loop() }

// OnBody registers f for the request's body, FCGI_STDIN (§5.3). It is called
// for each piece as it arrives, and with last true at the end, when chunk may be
// empty. The chunk is valid until f returns. What arrives is held to
// CONTENT_LENGTH: bytes beyond are not given to f, and if the body is shorter, or the
// request cancelled before its end, there is no last call but OnAbort's. A request
// whose body is too short ends with status 400 where OnAbort has no function.
//
// While f is not registered, or paused by PauseBody, up to Server.StdinBuffer
// bytes wait in memory.
func (ex Exchange) OnBody(f func(chunk []byte, last bool)) { ex.ref.OnBody(f) }

// OnData registers f for FCGI_DATA, the file that a Filter is to work on
// (§6.4), as OnBody does for the body.
func (ex Exchange) OnData(f func(chunk []byte, last bool)) { ex.ref.OnData(f) }

// PauseBody stops the calls of OnBody and OnData until ResumeBody, for a handler
// that cannot take more at the moment.
func (ex Exchange) PauseBody() { ex.ref.PauseBody() }

// ResumeBody ends PauseBody.
func (ex Exchange) ResumeBody() { ex.ref.ResumeBody() }

// ReadAll calls f once with the whole body, at most limit bytes of it, or with
// the reason why there is none: ErrBodyTooLarge, io.ErrUnexpectedEOF if it is
// shorter than CONTENT_LENGTH, or why the request was cancelled. The body is f's to
// keep. ReadAll takes the place of OnBody and OnAbort.
func (ex Exchange) ReadAll(limit int, f func(body []byte, err error)) { ex.ref.ReadAll(limit, f) }

// OnAbort registers f to be called once when the request is cancelled: the web
// server aborted it (§5.4) or closed the connection, the server is closed, or
// BaseContext ends. The cause is the one that [Request.Context] names. The request
// still wants its Finish.
func (ex Exchange) OnAbort(f func(cause error)) { ex.ref.OnAbort(f) }

// OnShutdown registers f to be called once when the server begins to shut down: the
// request may go on for DrainTimeout, but what has no end of its own, such as an
// event stream or a long poll, should end.
func (ex Exchange) OnShutdown(f func()) { ex.ref.OnShutdown(f) }

// OnDrain registers f to be called each time when, after a Write returned
// ErrFull, half of the output buffer is free again. It
// is the buffer that drains here; of a server that does, OnShutdown tells.
func (ex Exchange) OnDrain(f func()) { ex.ref.OnRoom(f) }

// Write appends to FCGI_STDOUT (§5.3) without ever waiting: while more than
// 64 KiB are waiting to be sent, or a stream given to SendResponse is, it takes
// nothing and returns ErrFull. What it does take, it takes whole.
func (ex Exchange) Write(p []byte) (int, error) { return ex.ref.TryWrite(protocol.TypeStdout, p) }

// WriteString is Write without a copy of what is long, since a string does not
// change.
func (ex Exchange) WriteString(s string) (int, error) { return ex.ref.TryWriteString(s) }

// respond writes the head of a response and its body, all or nothing of it.
func (ex Exchange) respond(head []byte, b body) error {
	r := engine.Response{Head: head, Text: b.text, Bytes: b.bytes}
	if b.rest != nil {
		r.Rest = streamed{b.rest}
	}
	return ex.ref.TryRespond(r)
}

// Flush sends what was written so far.
func (ex Exchange) Flush() error { return ex.ref.Flush() }

// Stderr returns a writer to FCGI_STDERR (§5.3), with the limits of Write.
func (ex Exchange) Stderr() io.Writer { return asyncStderr{ex} }

type asyncStderr struct{ ex Exchange }

func (e asyncStderr) Write(p []byte) (int, error) { return e.ex.ref.TryWrite(protocol.TypeStderr, p) }

// SetAppStatus sets an appStatus that Finish(0) then leaves as it is.
func (ex Exchange) SetAppStatus(status uint32) { ex.ref.SetAppStatus(status) }

// Finish ends the request: everything written is sent, then END_REQUEST with
// appStatus, which is what a CGI program would have exited with (§5.5). A stream
// given to SendResponse is sent to its end first. If nothing was written and
// appStatus is 0, or a response was refused, the client gets status 500 and
// Server.ErrorLog the reason. Finish returns ErrFinished if
// it was called before.
func (ex Exchange) Finish(appStatus uint32) error { return ex.ref.Finish(appStatus) }

// stream sends what src yields, on the loop, as the web server takes it.
func (ex Exchange) stream(src source) error { return ex.ref.Stream(streamed{src}) }

func (ex Exchange) refused(reason error) { ex.ref.Refused(reason) }

func (ex Exchange) claim() error { return ex.ref.Claim() }

func (ex Exchange) disclaim() { ex.ref.Disclaim() }

func (ex Exchange) isHead() bool { return ex.ref.ParamIs("REQUEST_METHOD", http.MethodHead) }

// A streamed is a source as the engine takes it.
type streamed struct{ source }

func (s streamed) Next() ([]byte, error) { return s.next() }

func (s streamed) Close() { s.close() }

// A Loop runs functions one at a time, together with the callbacks of the
// connections that it owns. They must not block: whatever else happens on the
// loop waits for them.
//
// A function that panics is contained and logged. If the loop is that of an
// Exchange, its request is ended with status 500.
type Loop interface {
	// Post runs f on the loop, after Post has returned. Any goroutine may
	// call it.
	Post(f func())
	// AfterFunc runs f on the loop once d has passed. The function that it
	// returns cancels that, and reports whether it was in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}
