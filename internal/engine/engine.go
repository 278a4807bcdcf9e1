package engine

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Config is what an Engine is told. Limits and times that are zero are off.
type Config struct {
	// Handlers are the handlers of the roles, by role.
	Handlers [protocol.RoleFilter + 1]Handler
	// Protocol is what the protocol is told; Values are added to it.
	Protocol protocol.Config

	MaxConcurrency   int
	MaxConns         int
	StdinBuffer      int
	SpoolLimit       int64
	SpoolDir         string
	MemoryLimit      int64
	FirstByteTimeout time.Duration
	ParamsTimeout    time.Duration
	IdleTimeout      time.Duration
	BodyTimeout      time.Duration
	DrainGrace       time.Duration

	Log         *slog.Logger
	BaseContext context.Context
	ConnContext func(context.Context, ConnInfo) context.Context
	ConnState   func(ConnInfo, ConnState)
	// ErrorPage returns the response that says nothing but its status.
	ErrorPage func(status int) []byte
	// AbortPanic is what handlers panic with on purpose, to break off.
	AbortPanic any
}

// A Handler serves the requests of a role: one of the two, or neither.
type Handler struct {
	// Async is called on the connection's loop.
	Async func(Ref)
	// Sync makes the task of a request, which a worker then runs.
	Sync func(Begun) Task
	// Memory is what a request takes beside its parameters, input and output, in
	// bytes: the exchange, and the goroutine of a task.
	Memory int
}

// A ConnInfo says which connection a hook is called for.
type ConnInfo struct {
	ID         int64
	RemoteAddr net.Addr
}

// A ConnState is what a connection is doing, for those who look on.
type ConnState uint8

const (
	ConnNew ConnState = iota
	ConnActive
	ConnIdle
	ConnClosed
)

// An Engine serves requests: what its connections share.
type Engine struct {
	Config   // with the defaults filled in; immutable
	memory   *memory
	spool    *spool.Budget
	limiter  limiter
	workers  workers
	counters counters
	spilling sync.WaitGroup // goroutines that work with files

	createSpool func() (spoolFile, error) // tests have files of their own

	drainBegun chan struct{} // closed when draining begins

	mu      sync.Mutex
	conns   map[*conn]struct{}
	surplus int           // how many of conns are beyond MaxConns
	killed  bool          // there are no new ones
	none    chan struct{} // closed when conns gets empty; nil if nobody waits
}

// New returns an Engine.
func New(config Config) *Engine {
	e := &Engine{
		Config:  config,
		memory:  newMemory(config.MemoryLimit, config.MaxConns),
		spool:   spool.NewBudget(config.SpoolLimit),
		limiter: limiter{limit: config.MaxConcurrency},
		conns:   make(map[*conn]struct{}),

		drainBegun: make(chan struct{}),
	}
	e.createSpool = func() (spoolFile, error) { return spool.Create(config.SpoolDir, e.spool) }
	if config.BaseContext != nil {
		context.AfterFunc(config.BaseContext, e.baseEnded)
	}
	return e
}

// baseEnded tells all requests that BaseContext has ended.
func (e *Engine) baseEnded() {
	for _, c := range e.list() {
		c.baseEnded()
	}
}

// list returns the connections that there are.
func (e *Engine) list() []*conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.conns))
}

// maxSurplus is how many connections beyond MaxConns are kept long enough to be
// told OVERLOADED; further ones are closed at once.
const maxSurplus = 100

// Accept implements driver.Acceptor.
func (e *Engine) Accept(sock driver.Socket) driver.Conn {
	c := e.admit(sock)
	if c == nil {
		return nil // and not a nil *conn
	}
	c.enter()
	c.schedule(c.accepted)
	c.leave()
	c.callHooks()
	return c
}

// admit makes a connection, unless there are too many.
func (e *Engine) admit(sock driver.Socket) *conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	surplus := e.MaxConns > 0 && len(e.conns)-e.surplus >= e.MaxConns
	if e.killed || surplus && e.surplus >= maxSurplus {
		e.counters.refused.Add(1)
		return nil
	}
	c := &conn{engine: e, sock: sock, id: e.counters.conns.Add(1), surplus: surplus, state: connFresh}
	if e.Draining() {
		c.state = connFreshDraining
	}
	c.runDue = c.runNotices
	if surplus {
		e.counters.refused.Add(1)
		e.surplus++
	}
	c.proto.Reset(protocol.Application, &e.Protocol)
	c.accepted = driver.Now()
	e.conns[c] = struct{}{}
	return c
}

// AcceptFailed implements driver.Acceptor.
func (e *Engine) AcceptFailed(err error, delay time.Duration) {
	e.Log.Error("fastcgi: cannot accept connections", "error", err, "retry_in", delay)
}

// remove takes a connection off the list when it is over.
func (e *Engine) remove(c *conn) {
	if c.unwatch != nil {
		c.unwatch()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
	if c.surplus {
		e.surplus--
	}
	if len(e.conns) == 0 && e.none != nil {
		close(e.none)
		e.none = nil
	}
}

// Open says that one more listener is served, and Close that one is not any more.
// Between the two, idle workers wait for requests.
func (e *Engine) Open() { e.workers.open() }

// Close is the other side of Open.
func (e *Engine) Close() { e.workers.close() }

// BeginDrain tells handlers that the server shuts down, and has all connections
// close behind their last answer. Those that are accepted until the listeners are
// closed still get a first request: nobody else would answer it.
func (e *Engine) BeginDrain() {
	e.mu.Lock()
	e.beginDrain()
	e.mu.Unlock()
	for _, c := range e.list() {
		c.drain()
	}
}

// beginDrain is called with mu held.
func (e *Engine) beginDrain() {
	if !e.Draining() {
		close(e.drainBegun)
	}
}

// Draining reports whether BeginDrain or Kill was called.
func (e *Engine) Draining() bool {
	select {
	case <-e.drainBegun:
		return true
	default:
		return false
	}
}

// EndDrain has connections that are still idle after DrainGrace closed. It returns a channel that is closed when the last one is.
func (e *Engine) EndDrain() <-chan struct{} {
	e.mu.Lock()
	if e.none == nil {
		e.none = make(chan struct{})
	}
	none := e.none
	if len(e.conns) == 0 {
		close(e.none)
		e.none = nil
	}
	e.mu.Unlock()
	if e.DrainGrace <= 0 {
		e.endGrace()
	} else {
		time.AfterFunc(e.DrainGrace, e.endGrace)
	}
	return none
}

func (e *Engine) endGrace() {
	for _, c := range e.list() {
		c.endGrace()
	}
}

// Kill ends all connections.
func (e *Engine) Kill(cause error) {
	e.mu.Lock()
	e.beginDrain()
	e.killed = true
	e.mu.Unlock()
	for _, c := range e.list() {
		c.kill(cause)
	}
}

// Idle returns a channel that is closed when no handler has a request.
func (e *Engine) Idle() <-chan struct{} { return e.limiter.idle() }

// Loop returns a Loop over a driver's, for functions that belong to no request.
func (e *Engine) Loop(post func(func())) Loop { return Loop{engine: e, post: post} }

// counters are what an Engine counts.
type counters struct {
	conns, requests, aborted, overloaded        atomic.Int64
	overflowed, protocolErrors, panics, refused atomic.Int64
	bytesIn, bytesOut                           atomic.Int64
}

// Stats are the counters of an Engine, not taken at one instant.
type Stats struct {
	OpenConns      int
	ActiveRequests int
	Conns          int64
	Requests       int64
	Aborted        int64
	Overloaded     int64
	Overflowed     int64
	RefusedConns   int64
	ProtocolErrors int64
	Panics         int64
	BytesIn        int64
	BytesOut       int64
	BufferedBytes  int64
	SpooledBytes   int64
}

// Stats returns the counters.
func (e *Engine) Stats() Stats {
	c := &e.counters
	e.mu.Lock()
	open := len(e.conns)
	e.mu.Unlock()
	return Stats{
		OpenConns:      open,
		ActiveRequests: e.limiter.active(),
		Conns:          c.conns.Load(),
		Requests:       c.requests.Load(),
		Aborted:        c.aborted.Load(),
		Overloaded:     c.overloaded.Load(),
		Overflowed:     c.overflowed.Load(),
		RefusedConns:   c.refused.Load(),
		ProtocolErrors: c.protocolErrors.Load(),
		Panics:         c.panics.Load(),
		BytesIn:        c.bytesIn.Load(),
		BytesOut:       c.bytesOut.Load(),
		BufferedBytes:  e.memory.held.Load(),
		SpooledBytes:   e.spool.Used(),
	}
}

var (
	_ driver.Acceptor = (*Engine)(nil)
	_ driver.Conn     = (*conn)(nil)
)
