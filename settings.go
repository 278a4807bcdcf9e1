package fastcgi

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/spool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// newService fills in the defaults.
func (s *Server) newService() *service {
	maxRequests := s.MaxRequestsPerConn
	switch {
	case maxRequests == 0:
		maxRequests = protocol.DefaultMaxRequests
	case maxRequests < 0:
		maxRequests = maxID
	}
	maxConns := limit(s.MaxConns, DefaultMaxConns, 0)
	drivers := newDrivers(s.Driver, limit(s.WriteTimeout, DefaultWriteTimeout, 0))
	sv := &service{
		maxConns:         maxConns,
		stdinBuffer:      limit(s.StdinBuffer, DefaultStdinBuffer, DefaultStdinBuffer),
		spoolDir:         s.SpoolDir,
		firstByteTimeout: limit(s.FirstByteTimeout, DefaultFirstByteTimeout, 0),
		paramsTimeout:    limit(s.ParamsTimeout, DefaultParamsTimeout, 0),
		idleTimeout:      limit(s.IdleTimeout, DefaultIdleTimeout, 0),
		log:              s.ErrorLog,
		base:             s.BaseContext,
		connContext:      s.ConnContext,
		connState:        s.ConnState,
		drivers:          drivers,
		memory:           spool.NewBudget(limit(s.MemoryLimit, DefaultMemoryLimit, unlimited)),
		spool:            spool.NewBudget(limit(s.SpoolLimit, DefaultSpoolLimit, 0)),
		gate:             gate{limit: s.MaxConcurrency},
		conns:            make(map[*conn]struct{}),
	}
	if sv.log == nil {
		sv.log = slog.Default()
	}
	if sv.base == nil {
		sv.base = context.Background()
	}
	sv.loop = loop{sv, drivers.preferred().Loop().Post}
	sv.setHandlers(s)
	sv.protocol = protocol.Config{
		Roles:       sv.roles(),
		MaxRequests: maxRequests,
		MaxParams:   limit(s.MaxParams, protocol.DefaultMaxParams, maxInt32),
		MaxPairs:    limit(s.MaxPairs, protocol.DefaultMaxPairs, maxInt32),
		Values:      sv.values(s.MaxConcurrency, maxRequests, s.Values),
	}
	return sv
}

// limit returns n, or def if it is zero, or none if it is below.
func limit[T int | int64 | time.Duration](n, def, none T) T {
	switch {
	case n == 0:
		return def
	case n < 0:
		return none
	}
	return n
}

func (sv *service) setHandlers(s *Server) {
	sv.handlers[RoleResponder] = roleHandler{s.Handler, s.AsyncHandler}
	if s.Authorizer != nil {
		sv.handlers[RoleAuthorizer].sync = authorize(s.Authorizer)
	}
	sv.handlers[RoleAuthorizer].async = s.AsyncAuthorizer
	sv.handlers[RoleFilter] = roleHandler{s.Filter, s.AsyncFilter}
}

// roles returns the roles that have a handler.
func (sv *service) roles() []protocol.Role {
	roles := []protocol.Role{}
	for role, h := range sv.handlers {
		if h.sync != nil || h.async != nil {
			roles = append(roles, protocol.Role(role))
		}
	}
	return roles
}

// check returns why the settings can not work.
func (s *Server) check() error {
	for role, h := range s.service.handlers {
		if h.sync != nil && h.async != nil {
			return errors.New("fastcgi: Server has both a handler and an async handler for " + protocol.Role(role).String())
		}
	}
	switch {
	case s.Driver.check() != nil:
		return s.Driver.check()
	case len(s.service.roles()) == 0:
		return errors.New("fastcgi: Server has no handler: set Handler, AsyncHandler, Authorizer or Filter")
	case s.StdinBuffer < 0:
		return errors.New("fastcgi: Server.StdinBuffer is below zero")
	case len(s.Values) > protocol.MaxValues-3:
		return errors.New("fastcgi: Server.Values has more than 61 variables")
	}
	return nil
}
