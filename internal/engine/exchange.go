package engine

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An exchange is one request and its response: the primitive under every kind
// of handler. It serves one request after another, on whatever connection; gen
// tells them apart. Whoever refers to a request holds a Ref, which has the
// connection and the gen as well, and looks at the exchange with the connection's
// mutex held and only after serves has said that it is still that request's: so
// those who keep one too long get ErrFinished and not a stranger's body.
type exchange struct {
	gen atomic.Uint64 // changes at the end of a request, with conn.mu held

	// Guarded by conn.mu.
	conn      *conn
	id        uint16
	role      protocol.Role
	state     state
	inTurn    bool  // in conn.ready
	responded bool  // something was written to STDOUT
	claimed   bool  // somebody is about to write a response
	measured  bool  // CONTENT_LENGTH and FCGI_DATA_LENGTH were looked up
	upgraded  bool  // STDIN is another protocol's
	readers   uint8 // Calls that wait for input

	awaitsMemory bool           // it is in memory.waiting
	began        driver.Instant // when BEGIN_REQUEST came
	heard        driver.Instant // when a piece of input came, or somebody began to wait for one
	block        []byte         // PARAMS, from the pool
	params       string         // made from block when somebody asks
	charged      int            // bytes of block and input drawn from the memory budget
	own          int            // bytes drawn for the request itself
	stdin        input
	data         *input // &noInput unless the role is Filter
	out          output
	cause        error      // why the request was cancelled; nil if it was not
	failed       error      // what reading and writing return since
	refusal      error      // why a response was not written; nil if none was refused
	appStatus    uint32     // for handlers that set it before the end
	changed      *sync.Cond // of a Call that may wait; nil until one does
	ctx          context.Context
	cancel       context.CancelCauseFunc
	async        callbacks

	// Guarded by limiter.mu.
	queueEntry *list.Element // its place in the queue; nil if it is not there
}

// exchanges are the free ones.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// newExchange returns the exchange of a new request.
func newExchange(c *conn, ev protocol.Event, now driver.Instant) *exchange {
	x := exchanges.Get().(*exchange)
	x.on(evBegin)
	x.conn = c
	x.id, x.role = ev.RequestID, ev.Role
	x.began = now
	// An authorizer is sent no body, by some web servers not even its end
	// (§6.3), and only a filter gets DATA.
	x.stdin = input{left: unannounced, ended: ev.Role == protocol.RoleAuthorizer}
	x.data = &noInput
	if ev.Role == protocol.RoleFilter {
		x.data = &input{left: unannounced}
	}
	return x
}

// serves reports whether x still serves the request that it served as gen was
// taken down. It is called with the mutex of that request's connection held.
func (x *exchange) serves(gen uint64) bool { return x.gen.Load() == gen }

// ref returns the name of the request that x serves.
func (x *exchange) ref() Ref { return Ref{x.conn, x, x.gen.Load()} }

// wake has a Call that waits for the exchange to change look again.
func (x *exchange) wake() {
	if x.changed != nil {
		x.changed.Broadcast()
	}
}

// An ending says how a request ends.
type ending struct {
	status    protocol.Status // of END_REQUEST (§5.5)
	appStatus uint32
	page      int   // status of the error page that stands in for a response that has not begun; 0: none
	silent    bool  // there is nobody to send END_REQUEST to, or it was sent
	cause     error // why the request is cancelled; nil if it is not
}

// end ends a request, however far it is and whoever ends it: evEnd is the engine,
// evRelease the handler. The web server is told, the handler finds out, and where
// no handler has it any more the exchange is free.
func (x *exchange) end(by event, e ending) {
	c, was := x.conn, x.state
	if was == stateQueued {
		c.engine.limiter.dequeue(x)
	}
	if e.cause != nil {
		x.setCause(e.cause)
	}
	if !x.on(by) {
		return
	}
	if !was.over() {
		x.close(was, e)
	}
	if x.state == stateFree {
		if was.hasHandler() {
			c.effects.places++
		}
		x.free()
		return
	}
	if x.failed == nil {
		x.failed = e.cause
		x.stopSource()
	}
	x.tellRoom() // a writer that waits for room is to find out
	x.wake()
}

// close frames what the web server gets at the end of a request. Nothing of it
// goes out afterwards.
func (x *exchange) close(was state, e ending) {
	c := x.conn
	if e.silent {
		c.dropOutputOf(x)
	} else if was.hasHandler() || !x.out.empty() {
		x.frameEnd(e)
	} else {
		c.replyEnd(x, e)
	}
	if i := slices.Index(c.active, x); i >= 0 {
		c.active = slices.Delete(c.active, i, i+1)
	}
	x.releaseInput()
	if len(c.active) == 0 {
		c.restIdle(c.clock())
		c.tellState(ConnIdle)
	}
	if c.paused || c.answersUntaken() {
		c.adjustFlow()
	}
	if len(c.active) == 0 {
		c.schedule(c.clock())
	}
	// While others are active, what is due next can only be later than it was, and Expire looks.
}

// noteUnread notes that more of a request may be on its way when it ends. That of
// an authorizer may be: the end of a body that is not there.
func (c *conn) noteUnread(x *exchange) {
	if !c.proto.Complete(x.id) || x.role == protocol.RoleAuthorizer {
		c.unreadInput = true
		c.unreadBody = c.unreadBody || x.mayHaveBody()
	}
}

// mayHaveBody reports whether there may be more input than the mere ends of streams.
func (x *exchange) mayHaveBody() bool {
	x.measure()
	return x.stdin.left > 0 || x.upgraded || !x.data.over() || x.peekParameters().Get("HTTP_TRANSFER_ENCODING") != ""
}

// frameEnd frames the end behind what the handler has written.
func (x *exchange) frameEnd(e ending) {
	c, before := x.conn, x.out.held
	if e.page != 0 && !x.responded {
		// It fails after the end of STDOUT only, which is not sent yet.
		_ = x.out.append(&c.proto, protocol.TypeStdout, x.id, x.errorPage(e.page))
	}
	c.noteUnread(x)
	if err := x.out.end(&c.proto, x.id, protocol.EndRequest{AppStatus: e.appStatus, Status: e.status}, c.lastGoodbye()); err != nil {
		// The table knows every active exchange: this is a bug of ours.
		c.logError("cannot end request", "error", err)
	}
	c.holdOutput(x.out.held - before)
	c.enqueue(x)
}

// free makes x ready for another request. It is the one place where a request is
// released. Output that was not sent yet stays, and x with it.
func (x *exchange) free() {
	x.wake() // who waits is to find that it is over
	if x.cancel != nil {
		x.cancel(context.Canceled)
	}
	x.gen.Add(1)
	x.releaseInput()
	x.releaseItself()
	pool.Put(x.block)
	x.block, x.params = nil, ""
	x.stdin, x.data = input{}, nil
	x.responded, x.claimed, x.measured, x.upgraded = false, false, false, false
	x.readers, x.awaitsMemory = 0, false
	x.cause, x.failed, x.refusal, x.appStatus = nil, nil, nil, 0
	x.ctx, x.cancel, x.changed = nil, nil, nil
	x.async = callbacks{}
	x.recycle()
}

// recycle gives x back to the pool, once it is free and its output sent. A Ref to
// it that is still held fails its generation check.
func (x *exchange) recycle() {
	if x.state == stateFree && !x.inTurn && x.out.empty() {
		x.conn = nil
		exchanges.Put(x)
	}
}

// setCause tells the handler that its answer is not wanted any more. Reading and
// writing go on; abort stops them, too.
func (x *exchange) setCause(cause error) {
	if x.cause != nil {
		return
	}
	x.cause = cause
	x.conn.engine.counters.aborted.Add(1)
	if x.cancel != nil {
		x.cancel(cause)
	}
	if x.async.onAbort != nil {
		x.conn.notify(x, noticeAbort)
	}
}

// abort cancels a request that a handler has, and stops reading and writing.
func (x *exchange) abort(cause error) {
	x.setCause(cause)
	x.on(evAbort)
	if x.failed == nil {
		x.failed = cause
		x.releaseInput()
		x.conn.dropOutputOf(x)
		x.stopSource()
		x.tellRoom() // a writer that waits for room is to find out
	}
	x.wake()
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

// parameters returns the parameters, which leave the pool when somebody asks.
func (x *exchange) parameters() protocol.Pairs {
	if x.params == "" {
		x.params = string(x.block)
		pool.Put(x.block)
		x.block = nil
	}
	return protocol.PairsOf(x.params)
}

// peekParameters returns the parameters for a look with the mutex held, without a
// copy.
func (x *exchange) peekParameters() protocol.Pairs {
	if x.params != "" {
		return protocol.PairsOf(x.params)
	}
	return protocol.PairsOf(unsafe.String(unsafe.SliceData(x.block), len(x.block)))
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

// charge draws n bytes from the memory budget.
func (x *exchange) charge(n int) bool {
	if !x.conn.hold(n) {
		return false
	}
	x.charged += n
	return true
}

// chargeItself draws from the memory budget what the request takes by being there. The
// only one on a connection is part of what the connection costs, and MaxConns limits
// that; those beside it would be as many as somebody likes.
func (x *exchange) chargeItself() bool {
	if len(x.conn.active) < 2 {
		return true
	}
	n := x.conn.engine.Handlers[x.role].Memory
	if !x.conn.engine.memory.shared.Take(n) {
		return false
	}
	x.own = n
	return true
}

// releaseItself gives that back.
func (x *exchange) releaseItself() {
	if x.own > 0 {
		m := x.conn.engine.memory
		m.shared.Give(int64(x.own))
		x.conn.effects.freed = x.conn.effects.freed || m.awaited.Load()
		x.own = 0
	}
}

// settle gives back to the budget what is not in memory any more.
func (x *exchange) settle() {
	held := len(x.block) + len(x.params) + x.stdin.inMemory() + x.data.inMemory()
	if freed := x.charged - held; freed > 0 {
		x.charged = held
		x.conn.letGo(freed)
	}
}

// releaseInput forgets all input.
func (x *exchange) releaseInput() {
	x.stdin.drop()
	x.data.drop()
	if x.charged > 0 {
		x.conn.letGo(x.charged)
		x.charged = 0
	}
}

// held reports whether output has to wait: a filter must not begin to answer
// before it was sent all of STDIN (§6.4).
func (x *exchange) held() bool {
	return x.role == protocol.RoleFilter && x.state != stateFree && !x.state.over() && x.failed == nil && !x.stdin.over()
}

// writable returns why nothing can be written any more.
func (x *exchange) writable() error {
	switch {
	case x.failed != nil:
		return x.failed
	case x.state.over():
		return ErrFinished
	}
	return nil
}

// write frames p.
func (x *exchange) write(t protocol.RecordType, p []byte) (int, error) {
	if err := x.writable(); err != nil {
		return 0, err
	}
	before := x.out.held
	err := x.out.append(&x.conn.proto, t, x.id, p)
	x.conn.holdOutput(x.out.held - before)
	if err != nil {
		return 0, err
	}
	if t == protocol.TypeStdout && len(p) > 0 && !x.responded {
		x.responded = true
		x.noteHead(p)
	}
	if x.out.size >= flushSize {
		x.conn.enqueue(x)
	}
	return len(p), nil
}

// refer is write without a copy, for what stays as it is until it is sent; see
// output.refer.
func (x *exchange) refer(t protocol.RecordType, p []byte, l *loan) error {
	if err := x.writable(); err != nil {
		return err
	}
	before := x.out.held
	err := x.out.refer(&x.conn.proto, t, x.id, p, l)
	x.conn.holdOutput(x.out.held - before)
	if err != nil {
		return err
	}
	x.responded = x.responded || t == protocol.TypeStdout
	x.conn.enqueue(x)
	return nil
}

// writeString is write to STDOUT, without a copy of what is long: a string does
// not change.
func (x *exchange) writeString(s string) (int, error) {
	p := unsafe.Slice(unsafe.StringData(s), len(s))
	if len(p) < byReference {
		return x.write(protocol.TypeStdout, p)
	}
	return len(p), x.refer(protocol.TypeStdout, p, nil)
}

const (
	// byReference is how many bytes are rather sent from where they are than
	// copied, although their Write then has to wait.
	byReference = 32 << 10
	// maxLoan is how many at once.
	maxLoan = 1 << 20
)
