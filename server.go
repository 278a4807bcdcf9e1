package fastcgi

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// The defaults of the limits of a [Server].
const (
	DefaultMaxConns         = 10000
	DefaultFirstByteTimeout = 5 * time.Second
	DefaultParamsTimeout    = 10 * time.Second
	DefaultIdleTimeout      = 60 * time.Second
	DefaultBodyTimeout      = 60 * time.Second
	DefaultWriteTimeout     = 60 * time.Second
	DefaultDrainTimeout     = 30 * time.Second
	DefaultDrainGrace       = 250 * time.Millisecond
	DefaultStdinBuffer      = 64 << 10
	DefaultSpoolLimit       = 1 << 30
	DefaultMemoryLimit      = 512 << 20
)

// A Server is a FastCGI application: it accepts connections from web servers
// and hands their requests to handlers, one for each role that it serves. A role
// without a handler is answered UNKNOWN_ROLE (§5.5).
//
// The zero value with a handler works. Set the fields before the first call of a
// method, and leave them alone afterwards.
//
// In every number here, zero means the default, and below zero means no limit,
// or what the field says.
type Server struct {
	// Handler and AsyncHandler answer Responder requests (§6.2): set one.
	Handler      Handler
	AsyncHandler AsyncHandler
	// Authorizer and AsyncAuthorizer answer Authorizer requests (§6.3).
	Authorizer      Authorizer
	AsyncAuthorizer AsyncHandler
	// Filter and AsyncFilter answer Filter requests (§6.4).
	Filter      Handler
	AsyncFilter AsyncHandler

	// Addr is where ListenAndServe and Run listen, as in Listen; empty means
	// the sockets that the parent process passed, and ListenOptions how.
	Addr          string
	ListenOptions ListenOptions

	// Driver is what moves the bytes; empty means DriverAuto.
	Driver Driver

	// MaxConcurrency is how many requests run at once; the others wait. 1 is
	// strictly one at a time. The default is no limit.
	MaxConcurrency int
	// MaxConns is how many connections are open at once. On those beyond, the
	// first request is answered OVERLOADED and the connection closed. The
	// default is 10,000.
	MaxConns int
	// MaxRequestsPerConn is how many requests are active on a connection;
	// those beyond are answered OVERLOADED. With 1, connections are not
	// multiplexed: CANT_MPX_CONN. The default is 100.
	MaxRequestsPerConn int
	// MaxParams is how many bytes of parameters a request may have, and
	// MaxPairs how many parameters. Requests beyond are answered with status
	// 431. The defaults are 64 KiB and 1,000.
	MaxParams int
	MaxPairs  int
	// StdinBuffer is how many bytes of FCGI_STDIN wait in memory for each
	// request, and as many of FCGI_DATA. Beyond, the connection is not read; if
	// other requests share it, the input goes to disk. The default is 64 KiB.
	// Below zero is an error: input without a limit would be memory without one.
	StdinBuffer int
	// SpoolLimit is how many bytes of input are on disk at once. When they
	// are used up, a request that piles up input on a shared connection ends
	// with status 507. The default is 1 GiB; below zero nothing goes to disk.
	SpoolLimit int64
	// SpoolDir is where; empty means os.TempDir. The files have no names.
	SpoolDir string
	// MemoryLimit is how many bytes the parameters, the buffered input and the
	// waiting output of all requests may take, and the requests themselves where
	// several share a connection: 1 KiB with an async handler, 5 KiB with a Handler,
	// 20 KiB with HTTP. Beyond it new requests are answered OVERLOADED, and Write
	// waits or returns ErrFull. The default is 512 MiB.
	MemoryLimit int64

	// FirstByteTimeout is how long a new connection may be silent. The
	// default is 5 s.
	FirstByteTimeout time.Duration
	// ParamsTimeout is how long a request's parameters may take to arrive.
	// Those that take longer are answered with status 408. The default is
	// 10 s.
	ParamsTimeout time.Duration
	// IdleTimeout is how long a connection is kept without a request. The
	// default is 60 s.
	IdleTimeout time.Duration
	// BodyTimeout is how long a web server may be silent while a handler waits for
	// more of a body. Reading then returns ErrBodyTimeout; a request that takes its
	// body by OnBody is told by OnAbort, or answered with status 408 where there is
	// none. It does not count for connections that changed their protocol, nor for a
	// handler that has set a read deadline. The default is 60 s.
	BodyTimeout time.Duration
	// WriteTimeout is how long a web server may take nothing of what is sent to
	// it: one that reads slowly is waited for. Then the connection is closed and
	// its requests are cancelled. The default is 60 s. See docs/limits.md for what
	// counts as taken.
	WriteTimeout time.Duration
	// DrainTimeout is how long Run lets requests finish after a signal. The
	// default is 30 s.
	DrainTimeout time.Duration

	// DrainGrace is how long an idle connection is kept once Shutdown has begun. A
	// request that comes until then is answered, and the connection closed with the
	// answer, which is no failure to a web server; a request that meets the
	// closing of an idle connection may be lost, as a web server cannot send a POST
	// again. The default is 250 ms; below zero idle connections are closed at once.
	// See docs/limits.md for how web servers are told which answer is the last.
	DrainGrace time.Duration

	// ErrorLog is told of what went wrong, and by Run of where it listens; nil means
	// slog.Default().
	ErrorLog *slog.Logger
	// ServiceActions, if set, is called about twice a second by Serve, never
	// by two goroutines at once.
	ServiceActions func()
	// Values are further variables told on GET_VALUES (§4.1), beside
	// FCGI_MAX_CONNS, FCGI_MAX_REQS and FCGI_MPXS_CONNS: at most 61, with
	// names of at most 64 bytes. The functions must not block: the web server's
	// connection is locked meanwhile, and so a handler that writes there waits.
	Values map[string]func() string
	// BaseContext, if set, is what the contexts of requests are derived from. When it
	// ends, all requests are cancelled with its cause.
	BaseContext context.Context
	// ConnContext, if set, is called for each connection that is accepted, and
	// returns what the contexts of its requests are derived from, which is to be
	// derived from ctx.
	ConnContext func(ctx context.Context, c ConnInfo) context.Context
	// ConnState, if set, is told what becomes of each connection: StateNew,
	// then StateActive when it has a request and StateIdle when it has none any
	// more, as often as that changes, and StateClosed at last. The calls for a
	// connection come one at a time and in order, from the loop that owns it,
	// and must not block.
	ConnState func(c ConnInfo, state http.ConnState)

	once    sync.Once
	engine  *engine.Engine
	drivers drivers
	loop    Loop  // of the drivers, that belongs to no connection
	invalid error // why the settings cannot work

	mu         sync.Mutex
	listeners  []net.Listener // being served, the first one first
	onShutdown []func()
	serving    sync.WaitGroup // calls of Serve that may still accept
	actions    sync.Mutex     // held while ServiceActions runs
}

// start makes the engine, before the first thing that needs it.
func (s *Server) start() (*engine.Engine, error) {
	s.once.Do(func() {
		s.drivers = newDrivers(s.Driver, limit.Of(s.WriteTimeout, DefaultWriteTimeout, 0))
		s.engine = s.newEngine()
		s.loop = s.engine.Loop(s.drivers.preferred().Loop().Post)
		s.invalid = s.check()
	})
	return s.engine, s.invalid
}

const (
	maxID     = 65535
	maxInt32  = 1<<31 - 1
	unlimited = 1<<63 - 1
)

// Serve accepts connections from l and serves them until l fails, Shutdown or
// Close is called, and then returns ErrServerClosed or what went wrong. It closes
// l. A Server may serve several listeners at once.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	e, err := s.start()
	if err != nil {
		return err
	}
	if !s.track(l) {
		return ErrServerClosed
	}
	defer s.untrack(l)
	defer s.runActions()()
	d, err := s.drivers.forListener(l)
	if err != nil {
		return err
	}
	err = d.Serve(l, e)
	if s.isClosed() {
		return ErrServerClosed
	}
	return err
}

// ListenAndServe listens on addr, as Listen does, and calls Serve.
func (s *Server) ListenAndServe(addr string) error {
	opts := s.listenOptions()
	l, err := Listen(addr, &opts)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// track notes a listener, so that Shutdown closes it.
func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closedLocked() {
		return false
	}
	s.listeners = append(s.listeners, l)
	s.serving.Add(1)
	s.engine.Open()
	return true
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.listeners, l)
	s.listeners = slices.Delete(s.listeners, i, i+1)
	s.engine.Close()
	s.serving.Done()
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closedLocked()
}

func (s *Server) closedLocked() bool {
	return s.engine.Draining()
}

// closeListeners makes Serve return.
func (s *Server) closeListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		s.drivers.stop(l)
		// A listener that does not close properly does not accept, either.
		_ = l.Close()
	}
}

// RegisterOnShutdown has f called when Shutdown begins, in a goroutine of its own,
// as http.Server's does: for what is to end event streams and long polls. A handler
// learns of it by [Request.Draining], an async one by [Exchange.OnShutdown].
func (s *Server) RegisterOnShutdown(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onShutdown = append(s.onShutdown, f)
}

// tellShutdown calls what was registered for that, once.
func (s *Server) tellShutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.onShutdown {
		go f()
	}
	s.onShutdown = nil
}

// Shutdown tells handlers, stops accepting, closes connections as they become idle
// (see DrainGrace), and returns nil once all requests have ended and all connections
// are closed. A connection that was accepted but has not had a request yet still
// gets one. If
// ctx ends first Shutdown returns the cause, and the rest goes on: call Close to
// end it.
func (s *Server) Shutdown(ctx context.Context) error {
	e, _ := s.start()
	e.BeginDrain()
	s.tellShutdown()
	s.closeListeners()
	// Until then there may be connections that nobody has heard of.
	err := waitFor(ctx, s.allServed())
	none := e.EndDrain()
	if err != nil {
		return err
	}
	if err := waitFor(ctx, none); err != nil {
		return err
	}
	return waitFor(ctx, e.Idle())
}

// allServed returns a channel that is closed when no Serve is running.
func (s *Server) allServed() <-chan struct{} {
	served := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(served)
	}()
	return served
}

func waitFor(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done: // as well
		return nil
	default:
		return context.Cause(ctx)
	}
}

// Close stops accepting and closes all connections. The contexts of their
// requests are cancelled with ErrServerClosed; Close does not wait for their
// handlers.
func (s *Server) Close() error {
	e, _ := s.start()
	e.Kill(ErrServerClosed)
	s.closeListeners()
	return nil
}

// actionsInterval is how often ServiceActions is called.
const actionsInterval = 500 * time.Millisecond

// runActions calls ServiceActions now and then, until stop is called.
func (s *Server) runActions() (stop func()) {
	if s.ServiceActions == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(actionsInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.actions.Lock()
				s.ServiceActions()
				s.actions.Unlock()
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// Loop returns a loop that belongs to no connection, for work of the
// application's own.
func (s *Server) Loop() Loop {
	s.start()
	return s.loop
}

// Fd returns the descriptor of the first listener that Serve is serving, or ^0
// if there is none, or none with a descriptor. It stays the listener's.
func (s *Server) Fd() uintptr {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		if fd, ok := listen.Fd(l); ok {
			return fd
		}
	}
	return ^uintptr(0)
}
