package fastcgi

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A service is a Server at work: its settings with the defaults filled in, and
// what its connections share.
type service struct {
	// Immutable.
	handlers         [protocol.RoleFilter + 1]roleHandler
	protocol         protocol.Config
	maxConns         int
	stdinBuffer      int
	spoolDir         string
	firstByteTimeout time.Duration
	paramsTimeout    time.Duration
	idleTimeout      time.Duration
	log              *slog.Logger
	base             context.Context
	connContext      func(context.Context, ConnInfo) context.Context
	connState        func(ConnInfo, http.ConnState)
	drivers          drivers
	memory           *spool.Budget
	spool            *spool.Budget
	loop             Loop
	gate             gate
	workers          workers
	stats            counters

	mu       sync.Mutex
	conns    map[*conn]struct{}
	over     int           // how many of conns are beyond the limit
	draining bool          // connections end when they are idle
	killed   bool          // there are no new ones
	none     chan struct{} // closed when conns gets empty; nil if nobody waits
}

// A roleHandler is what serves a role: one of the two, or neither.
type roleHandler struct {
	sync  Handler
	async AsyncHandler
}

// refusals is how many connections beyond MaxConns are kept long enough to be
// told OVERLOADED; further ones are closed at once.
const refusals = 100

// Accept implements driver.Acceptor.
func (s *service) Accept(sock driver.Socket) driver.Conn {
	c := s.admit(sock)
	if c == nil {
		return nil // and not a nil *conn
	}
	c.introduce()
	return c
}

// admit makes a connection, unless there are too many.
func (s *service) admit(sock driver.Socket) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := s.maxConns > 0 && len(s.conns)-s.over >= s.maxConns
	if s.killed || over && s.over >= refusals {
		s.stats.refused.Add(1)
		return nil
	}
	id := s.stats.connections.Add(1)
	c := &conn{service: s, sock: sock, id: id, over: over, drain: s.draining}
	c.runDue = c.runCalls
	if over {
		s.stats.refused.Add(1)
		s.over++
	}
	c.proto.Reset(protocol.Application, &s.protocol)
	c.accepted = driver.Now()
	s.conns[c] = struct{}{}
	c.mu.Lock()
	c.schedule(c.accepted)
	c.mu.Unlock()
	return c
}

// AcceptFailed implements driver.Acceptor.
func (s *service) AcceptFailed(err error, rest time.Duration) {
	s.log.Error("fastcgi: cannot accept connections", "error", err, "retry_in", rest)
}

// remove takes a connection off the list when it is over.
func (s *service) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if c.over {
		s.over--
	}
	if len(s.conns) == 0 && s.none != nil {
		close(s.none)
		s.none = nil
	}
}

// beginDrain has connections end after their first request, for those that
// are accepted until the listeners are closed: nobody else would answer them.
func (s *service) beginDrain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
}

// drain has all connections close when they are idle. It returns a channel that
// is closed when the last one is.
func (s *service) drain() <-chan struct{} {
	s.mu.Lock()
	if s.none == nil {
		s.none = make(chan struct{})
	}
	none := s.none
	if len(s.conns) == 0 {
		close(s.none)
		s.none = nil
	}
	conns := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range conns {
		c.beginDrain()
	}
	return none
}

// kill ends all connections.
func (s *service) kill(cause error) {
	s.mu.Lock()
	s.draining, s.killed = true, true
	conns := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range conns {
		c.kill(cause)
	}
}

// recoverCallback keeps a panic in a function of the application's from ending
// the process.
func (s *service) recoverCallback() {
	if reason := recover(); reason != nil {
		s.panicked(reason, debug.Stack())
	}
}

// panicked reports a panic in a handler or a callback.
func (s *service) panicked(reason any, stack []byte, about ...any) {
	s.stats.panics.Add(1)
	s.log.With(about...).Error("fastcgi: handler panicked", "panic", fmt.Sprint(reason), "stack", string(stack))
}

// values are the variables told on GET_VALUES (§4.1). What has no limit is left
// out.
func (s *service) values(concurrency, maxRequests int, own map[string]func() string) []protocol.Value {
	var known []protocol.Value
	if s.maxConns > 0 {
		known = append(known, constant(protocol.MaxConns, s.maxConns))
	}
	if n := s.maxReqs(concurrency, maxRequests); n > 0 {
		known = append(known, constant(protocol.MaxReqs, n))
	}
	known = append(known, constant(protocol.MultiplexConns, min(maxRequests-1, 1)))
	for _, name := range slices.Sorted(maps.Keys(own)) {
		known = append(known, protocol.Value{Name: name, Value: func() string {
			defer s.recoverCallback()
			return own[name]()
		}})
	}
	return known
}

// maxReqs is what FCGI_MAX_REQS is told as, 0 for no limit. The specification
// has it be what the application takes in all. HAProxy, the one web server that
// asks, has as many on a single connection and does not get over OVERLOADED
// there: so where connections are multiplexed, it is no more than one takes.
func (s *service) maxReqs(concurrency, maxRequests int) int {
	n := cmp.Or(max(concurrency, 0), s.maxConns)
	if maxRequests > 1 && (n <= 0 || n > maxRequests) {
		n = maxRequests
	}
	return max(n, 0)
}

func constant(name string, n int) protocol.Value {
	value := strconv.Itoa(n)
	return protocol.Value{Name: name, Value: func() string { return value }}
}
