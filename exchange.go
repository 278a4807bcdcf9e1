package fastcgi

import (
	"container/list"
	"context"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An exchange is one request and its response: the primitive under every kind
// of handler. It belongs to its connection for good and serves one request
// after another; gen tells them apart, so that whoever still holds an earlier
// request gets ErrFinished and not a stranger's body.
type exchange struct {
	conn *conn // immutable

	// Guarded by conn.mu.
	gen       uint64
	id        uint16
	role      protocol.Role
	stage     stage
	began     driver.Instant // when BEGIN_REQUEST came
	block     []byte         // PARAMS, from the pool
	charged   int            // bytes of block and input drawn from the memory budget
	params    Params         // made from block when somebody asks
	stdin     input
	data      *input // &noInput unless the role is Filter
	out       output
	queued    bool   // in conn.ready
	responded bool   // something was written to STDOUT
	ended     bool   // END_REQUEST is framed, or there is nobody to send it to
	cause     error  // why the request was cancelled; nil if it was not
	failed    error  // what reading and writing return since
	appStatus uint32 // for handlers that set it before the end
	changed   sync.Cond
	ctx       context.Context
	cancel    context.CancelCauseFunc
	async     callbacks

	// Guarded by the gate's mutex.
	ticket    *list.Element // its place in the queue; nil if it is not there
	ticketGen uint64
}

// A stage is how far an exchange is on its way through the server.
type stage uint8

const (
	stageFree      stage = iota
	stageReceiving       // parameters are arriving
	stageWaiting         // for a place among MaxConcurrency
	stageRunning         // a handler has it
)

// newExchange returns a free exchange of a connection.
func newExchange(c *conn) *exchange {
	x := &exchange{conn: c, data: &noInput}
	x.changed.L = &c.mu
	return x
}

// begin makes x the exchange of a new request.
func (x *exchange) begin(ev protocol.Event, now driver.Instant) {
	x.id, x.role = ev.RequestID, ev.Role
	x.stage = stageReceiving
	x.began = now
	// An authorizer is sent no body, by some web servers not even its end
	// (§6.3), and only a filter gets DATA.
	x.stdin.ended = ev.Role == protocol.RoleAuthorizer
	if ev.Role == protocol.RoleFilter {
		x.data = new(input)
	}
}

// free makes x ready for another request. Output that was not sent yet stays.
func (x *exchange) free() {
	x.gen++
	x.stage = stageFree
	x.releaseInput()
	pool.Put(x.block)
	x.block, x.params = nil, Params{}
	x.stdin, x.data = input{}, &noInput
	x.responded, x.ended, x.cause, x.failed, x.appStatus = false, false, nil, nil, 0
	x.ctx, x.cancel = nil, nil
	x.async = callbacks{}
}

// addParams takes a piece of PARAMS. It reports whether the memory budget had
// room for it.
func (x *exchange) addParams(p []byte) bool {
	if !x.charge(len(p)) {
		return false
	}
	x.block = append(pool.Grow(x.block, len(p)), p...)
	return true
}

// charge draws n bytes from the server's memory budget.
func (x *exchange) charge(n int) bool {
	if !x.conn.service.memory.Take(n) {
		return false
	}
	x.charged += n
	return true
}

// settle gives back to the budget what is not in memory any more.
func (x *exchange) settle() {
	held := len(x.block) + len(x.params.block) + x.stdin.buffered() + x.data.buffered()
	if freed := x.charged - held; freed > 0 {
		x.charged = held
		x.conn.service.memory.Give(int64(freed))
	}
}

// releaseInput forgets all input.
func (x *exchange) releaseInput() {
	x.dropInput(&x.stdin)
	x.dropInput(x.data)
	if x.charged > 0 {
		x.conn.service.memory.Give(int64(x.charged))
		x.charged = 0
	}
}

func (x *exchange) dropInput(in *input) {
	if in.empty() {
		return
	}
	if err := in.drop(); err != nil {
		x.conn.service.log.Warn("fastcgi: cannot remove spooled input", "error", err)
	}
}

// parameters returns the parameters, which leave the pool when somebody asks.
func (x *exchange) parameters() Params {
	if x.params.block == "" {
		x.params.block = string(x.block)
		pool.Put(x.block)
		x.block = nil
	}
	return x.params
}

// context returns the request's context, which exists once somebody asks.
func (x *exchange) context() context.Context {
	if x.ctx == nil {
		x.ctx, x.cancel = context.WithCancelCause(x.conn.service.base)
		if x.cause != nil {
			x.cancel(x.cause)
		}
	}
	return x.ctx
}

// cancelled tells the handler that its answer is not wanted any more. Reading
// and writing go on; fail stops them, too.
func (x *exchange) cancelled(cause error) {
	if x.cause != nil {
		return
	}
	x.cause = cause
	x.conn.service.stats.aborted.Add(1)
	if x.cancel != nil {
		x.cancel(cause)
	}
	if x.async.onAbort != nil {
		x.conn.call(x, callAbort)
	}
}

// fail cancels the request and stops reading and writing.
func (x *exchange) fail(cause error) {
	x.cancelled(cause)
	if x.failed == nil {
		x.failed = cause
		x.releaseInput()
		x.conn.unqueue(x)
		x.out.drop()
		x.stopSource()
		x.drain() // a writer that waits for room is to find out
	}
	x.changed.Broadcast()
}

// end frames END_REQUEST. Nothing of the request goes out afterwards.
func (x *exchange) end(e protocol.EndRequest) {
	if x.ended {
		return
	}
	x.ended = true
	c := x.conn
	if !c.proto.Complete(x.id) || x.role == protocol.RoleAuthorizer {
		// The end of a body that is not there may be on its way all the same.
		c.linger = true
	}
	if err := x.out.end(&c.proto, x.id, e); err != nil {
		// The table knows every active exchange: this is a bug of ours.
		c.service.log.Error("fastcgi: cannot end request", "error", err)
	}
	c.flush(x)
	c.forget(x)
	x.releaseInput()
	x.changed.Broadcast()
}

// finish is end for a handler that is done, with its own status.
func (x *exchange) finish(appStatus uint32) {
	x.end(protocol.EndRequest{AppStatus: appStatus})
	x.release()
}

// release takes the exchange back from its handler.
func (x *exchange) release() {
	if x.cancel != nil {
		x.cancel(context.Canceled)
	}
	if x.stage == stageRunning {
		x.conn.leaving++
	}
	x.free()
	x.conn.recycle(x)
}

// held reports whether output has to wait: a filter must not begin to answer
// before it was sent all of STDIN (§6.4).
func (x *exchange) held() bool {
	return x.role == protocol.RoleFilter && !x.stdin.over() && !x.ended && x.failed == nil
}

// write frames as much of p as the output limit allows.
func (x *exchange) write(t protocol.RecordType, p []byte) (int, error) {
	switch {
	case x.failed != nil:
		return 0, x.failed
	case x.ended:
		return 0, ErrFinished
	}
	if err := x.out.append(&x.conn.proto, t, x.id, p); err != nil {
		return 0, err
	}
	x.responded = x.responded || t == protocol.TypeStdout && len(p) > 0
	if x.out.size >= flushSize {
		x.conn.flush(x)
	}
	return len(p), nil
}

// answerError ends the request with an error page, unless there is part of an
// answer already.
func (x *exchange) answerError(code int, appStatus uint32) {
	if x.ended {
		return
	}
	if !x.responded {
		page := appendErrorPage(nil, code)
		// It fails after the end of STDOUT only, which is not sent yet.
		_ = x.out.append(&x.conn.proto, protocol.TypeStdout, x.id, page)
	}
	x.end(protocol.EndRequest{AppStatus: appStatus})
}
