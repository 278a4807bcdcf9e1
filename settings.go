package fastcgi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// newEngine fills in the defaults.
func (s *Server) newEngine() *engine.Engine {
	config := engine.Config{
		MaxConcurrency:   max(s.MaxConcurrency, 0),
		MaxConns:         limit.Of(s.MaxConns, DefaultMaxConns, 0),
		StdinBuffer:      limit.Of(s.StdinBuffer, DefaultStdinBuffer, DefaultStdinBuffer),
		SpoolLimit:       limit.Of(s.SpoolLimit, DefaultSpoolLimit, 0),
		SpoolDir:         s.SpoolDir,
		MemoryLimit:      limit.Of(s.MemoryLimit, DefaultMemoryLimit, unlimited),
		FirstByteTimeout: limit.Of(s.FirstByteTimeout, DefaultFirstByteTimeout, 0),
		ParamsTimeout:    limit.Of(s.ParamsTimeout, DefaultParamsTimeout, 0),
		IdleTimeout:      limit.Of(s.IdleTimeout, DefaultIdleTimeout, 0),
		BodyTimeout:      limit.Of(s.BodyTimeout, DefaultBodyTimeout, 0),
		DrainGrace:       limit.Of(s.DrainGrace, DefaultDrainGrace, 0),
		Log:              s.ErrorLog,
		BaseContext:      s.BaseContext,
		ConnContext:      s.connContext(),
		ConnState:        s.connState(),
		ErrorPage:        errorPage,
		AbortPanic:       http.ErrAbortHandler,
		Handlers:         s.engineHandlers(),
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.BaseContext == nil {
		config.BaseContext = context.Background()
	}
	maxRequests := limit.Of(s.MaxRequestsPerConn, protocol.DefaultMaxRequests, maxID)
	config.Protocol = protocol.Config{
		Roles:       rolesOf(config.Handlers),
		MaxRequests: maxRequests,
		MaxParams:   limit.Of(s.MaxParams, protocol.DefaultMaxParams, maxInt32),
		MaxPairs:    limit.Of(s.MaxPairs, protocol.DefaultMaxPairs, maxInt32),
		Values:      s.values(config.MaxConns, maxRequests),
	}
	return engine.New(config)
}

// errorPage returns the response that says nothing but its status.
func errorPage(code int) []byte { return cgi.AppendErrorPage(nil, code) }

// engineHandlers returns what serves each role.
func (s *Server) engineHandlers() (handlers [RoleFilter + 1]engine.Handler) {
	authorizer := Handler(nil)
	if s.Authorizer != nil {
		authorizer = authorize(s.Authorizer)
	}
	handlers[RoleResponder] = engineHandler(s.Handler, s.AsyncHandler)
	handlers[RoleAuthorizer] = engineHandler(authorizer, s.AsyncAuthorizer)
	handlers[RoleFilter] = engineHandler(s.Filter, s.AsyncFilter)
	return handlers
}

func engineHandler(sync Handler, async AsyncHandler) (h engine.Handler) {
	if sync != nil {
		h.Sync, h.Memory = syncTask(sync), syncMemory
		if _, ok := sync.(httpHandler); ok {
			h.Memory = httpMemory
		}
	}
	if async != nil {
		h.Async, h.Memory = func(r engine.Ref) { async.ServeAsync(Exchange{r}) }, asyncMemory
	}
	return h
}

// What a request takes while its handler waits to write, in bytes, as `make memory`
// finds it: most is the stack of the goroutine, and the buffer of an http.Handler.
const (
	asyncMemory = 1 << 10
	syncMemory  = 5 << 10
	httpMemory  = 20 << 10
)

// rolesOf returns the roles that have a handler.
func rolesOf(handlers [RoleFilter + 1]engine.Handler) []protocol.Role {
	roles := []protocol.Role{}
	for role, h := range handlers {
		if h.Sync != nil || h.Async != nil {
			roles = append(roles, protocol.Role(role))
		}
	}
	return roles
}

// check returns why the settings cannot work.
func (s *Server) check() error {
	for role, h := range s.engine.Handlers {
		if h.Sync != nil && h.Async != nil {
			return errors.New("fastcgi: Server has both a handler and an async handler for " + protocol.Role(role).String())
		}
	}
	switch {
	case s.Driver.check() != nil:
		return s.Driver.check()
	case len(s.engine.Protocol.Roles) == 0:
		return errors.New("fastcgi: Server has no handler: set Handler, AsyncHandler, Authorizer or Filter")
	case s.StdinBuffer < 0:
		return errors.New("fastcgi: Server.StdinBuffer is below zero, and input needs a limit: leave it zero for 64 KiB, or set a number of bytes")
	case len(s.Values) > protocol.MaxValues-3:
		return errors.New("fastcgi: Server.Values has more than 61 variables")
	}
	return nil
}

// values are the variables told on GET_VALUES (§4.1). What has no limit is left
// out.
func (s *Server) values(maxConns, maxRequests int) []protocol.Value {
	var known []protocol.Value
	if maxConns > 0 {
		known = append(known, constant(protocol.VarMaxConns, maxConns))
	}
	if n := maxReqs(s.MaxConcurrency, maxConns, maxRequests); n > 0 {
		known = append(known, constant(protocol.VarMaxReqs, n))
	}
	known = append(known, constant(protocol.VarMpxsConns, min(maxRequests-1, 1)))
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		known = append(known, protocol.Value{Name: name, Value: func() (value string) {
			s.engine.Apart(func() { value = s.Values[name]() })
			return value
		}})
	}
	return known
}

// maxReqs is what FCGI_MAX_REQS is told as, 0 for no limit. The specification
// has it be what the application takes in all. HAProxy, the one web server that
// asks, has as many on a single connection and does not get over OVERLOADED
// there: so where connections are multiplexed, it is no more than one takes.
func maxReqs(concurrency, maxConns, maxRequests int) int {
	n := cmp.Or(max(concurrency, 0), maxConns)
	if maxRequests > 1 && (n <= 0 || n > maxRequests) {
		n = maxRequests
	}
	return max(n, 0)
}

func constant(name string, n int) protocol.Value {
	value := strconv.Itoa(n)
	return protocol.Value{Name: name, Value: func() string { return value }}
}
