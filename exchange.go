package fastcgi

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An exchange is one request and its response: the primitive under every kind
// of handler. It serves one request after another, on whatever connection; gen
// tells them apart. Whoever refers to a request has its connection and its gen as
// well, and looks at the exchange with the connection's mutex held and only after
// is has said that it is still that request's: so those who keep one too long get
// ErrFinished and not a stranger's body.
type exchange struct {
	gen atomic.Uint64 // changes at the end of a request, with conn.mu held

	// Guarded by conn.mu.
	conn      *conn
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
	queued    bool       // in conn.ready
	responded bool       // something was written to STDOUT
	ended     bool       // END_REQUEST is framed, or there is nobody to send it to
	cause     error      // why the request was cancelled; nil if it was not
	failed    error      // what reading and writing return since
	appStatus uint32     // for handlers that set it before the end
	changed   *sync.Cond // of a Handler that may wait
	ctx       context.Context
	cancel    context.CancelCauseFunc
	async     callbacks

	// Guarded by the gate's mutex.
	ticket *list.Element // its place in the queue; nil if it is not there
}

// A stage is how far an exchange is on its way through the server.
type stage uint8

const (
	stageFree      stage = iota
	stageReceiving       // parameters are arriving
	stageWaiting         // for a place among MaxConcurrency
	stageRunning         // a handler has it
)

// exchanges are the free ones.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// newExchange returns the exchange of a new request.
func newExchange(c *conn, ev protocol.Event, now driver.Instant) *exchange {
	x := exchanges.Get().(*exchange)
	x.conn = c
	x.id, x.role = ev.RequestID, ev.Role
	x.stage = stageReceiving
	x.began = now
	// An authorizer is sent no body, by some web servers not even its end
	// (§6.3), and only a filter gets DATA.
	x.stdin.ended = ev.Role == protocol.RoleAuthorizer
	x.data = &noInput
	if ev.Role == protocol.RoleFilter {
		x.data = new(input)
	}
	return x
}

// is reports whether x still serves the request that it served as gen was taken
// down. It is called with the mutex of that request's connection held.
func (x *exchange) is(gen uint64) bool { return x.gen.Load() == gen }

// wake has a Handler that waits for the exchange to change look again.
func (x *exchange) wake() {
	if x.changed != nil {
		x.changed.Broadcast()
	}
}

// inputOf returns what arrives on one of the streams of input.
func (x *exchange) inputOf(t protocol.RecordType) *input {
	if t == protocol.TypeData {
		return x.data
	}
	return &x.stdin
}

// free ends the request. Output that was not sent yet stays.
func (x *exchange) free() {
	x.gen.Add(1)
	x.stage = stageFree
	x.releaseInput()
	pool.Put(x.block)
	x.block, x.params = nil, Params{}
	x.stdin, x.data = input{}, nil
	x.responded, x.ended, x.cause, x.failed, x.appStatus = false, false, nil, nil, 0
	x.ctx, x.cancel, x.changed = nil, nil, nil
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

// peekParameters returns the parameters for a look with the mutex held, without a
// copy.
func (x *exchange) peekParameters() Params {
	if x.params.block != "" {
		return x.params
	}
	return Params{block: unsafe.String(unsafe.SliceData(x.block), len(x.block))}
}

// context returns the request's context, which exists once somebody asks.
func (x *exchange) context() context.Context {
	if x.ctx == nil {
		x.ctx, x.cancel = context.WithCancelCause(x.conn.context())
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
	x.wake()
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
	x.wake()
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
	x.recycle()
}

// recycle gives x back, once it is free and its output sent. Nobody may look at it
// afterwards but to see that it is not theirs any more.
func (x *exchange) recycle() {
	if x.stage == stageFree && !x.queued && x.out.empty() {
		x.conn = nil
		exchanges.Put(x)
	}
}

// held reports whether output has to wait: a filter must not begin to answer
// before it was sent all of STDIN (§6.4).
func (x *exchange) held() bool {
	return x.role == protocol.RoleFilter && !x.stdin.over() && !x.ended && x.failed == nil
}

// writable returns why nothing can be written any more.
func (x *exchange) writable() error {
	switch {
	case x.failed != nil:
		return x.failed
	case x.ended:
		return ErrFinished
	}
	return nil
}

// write frames as much of p as the output limit allows.
func (x *exchange) write(t protocol.RecordType, p []byte) (int, error) {
	if err := x.writable(); err != nil {
		return 0, err
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

// lend is write without a copy, for what lies in memory that stays as it is until
// it is sent; see output.lend.
func (x *exchange) lend(t protocol.RecordType, p []byte, l *loan) error {
	if err := x.writable(); err != nil {
		return err
	}
	if err := x.out.lend(&x.conn.proto, t, x.id, p, l); err != nil {
		return err
	}
	x.responded = x.responded || t == protocol.TypeStdout
	x.conn.flush(x)
	return nil
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
