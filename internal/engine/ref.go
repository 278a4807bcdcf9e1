package engine

import (
	"context"
	"net"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Ref names a request. It is small, may be copied and kept, and its methods may
// be called from any goroutine; once the request is over, and for the zero Ref,
// they return ErrFinished or zero values.
type Ref struct {
	conn *conn
	x    *exchange
	gen  uint64
}

// enter locks the connection and returns the exchange, if that still serves the
// request. Leave follows in any case.
func (r Ref) enter() (x *exchange, ok bool) {
	if r.conn == nil {
		return nil, false
	}
	r.conn.enter()
	return r.x, r.x.serves(r.gen)
}

// leave is conn.leave.
func (r Ref) leave() {
	if r.conn != nil {
		r.conn.leave()
	}
}

// ID returns the request id on its connection (§3.3).
func (r Ref) ID() uint16 {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return 0
	}
	return x.id
}

// Role returns what the web server wants (§6).
func (r Ref) Role() protocol.Role {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return 0
	}
	return x.role
}

// Params returns the request's parameters, which may be kept.
func (r Ref) Params() protocol.Pairs {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return protocol.Pairs{}
	}
	return x.parameters()
}

// ParamIs reports whether a parameter has a value, without a copy of any.
func (r Ref) ParamIs(name, value string) bool {
	x, ok := r.enter()
	defer r.leave()
	return ok && x.peekParameters().Get(name) == value
}

// Context returns the request's context. It is cancelled at the request's end, and
// before with the cause of its cancellation.
func (r Ref) Context() context.Context {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return finishedContext
	}
	return x.context()
}

// finishedContext is the context of requests that are over.
var finishedContext = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrFinished)
	return ctx
}()

// Base returns what the request's context derives from. It has no need of the
// mutex and stays when the request is over.
func (r Ref) Base() context.Context {
	if r.conn == nil {
		return context.Background()
	}
	return r.conn.context()
}

// Aborted reports whether the answer is not wanted any more.
func (r Ref) Aborted() bool {
	x, ok := r.enter()
	defer r.leave()
	return !ok || x.cause != nil
}

// SetAppStatus sets the appStatus that a Finish with zero leaves as it is.
func (r Ref) SetAppStatus(status uint32) {
	x, ok := r.enter()
	defer r.leave()
	if ok {
		x.appStatus = status
	}
}

// Flush sends what was written so far.
func (r Ref) Flush() error {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return ErrFinished
	}
	if err := x.writable(); err != nil {
		return err
	}
	r.conn.enqueue(x)
	return nil
}

// Finish ends the request: everything written is sent, then END_REQUEST. A stream
// is sent to its end first. If nothing was written, status 500 is; see unanswered. It returns ErrFinished if the request was finished
// before.
func (r Ref) Finish(appStatus uint32) error {
	x, ok := r.enter()
	defer r.leave()
	if !ok || x.state.finished() {
		return ErrFinished
	}
	if appStatus != 0 {
		x.appStatus = appStatus
	}
	if x.async.source != nil {
		x.on(evFinishLater)
		return nil
	}
	x.finish()
	return nil
}

// ConnID returns the number of the request's connection, from 1 on, and 0 for the
// zero Ref.
func (r Ref) ConnID() int64 {
	if r.conn == nil {
		return 0
	}
	return r.conn.id
}

// RemoteAddr returns the web server's address, nil for the zero Ref.
func (r Ref) RemoteAddr() net.Addr {
	if r.conn == nil {
		return nil
	}
	return r.conn.sock.RemoteAddr()
}

// Warn logs what is wrong with a request or its handler.
func (r Ref) Warn(msg string, args ...any) {
	if r.conn != nil {
		r.conn.engine.Log.Warn("fastcgi: "+msg, args...)
	}
}

// Loop returns the loop that owns the connection. A function on it that panics
// ends the request.
func (r Ref) Loop() Loop {
	if r.conn == nil {
		return Loop{}
	}
	return Loop{r.conn.engine, r, r.conn.sock.Post}
}
