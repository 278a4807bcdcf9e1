package fastcgi

import (
	"context"
	"net"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/internal/engine"
)

// A ConnInfo tells the hooks of a Server which connection they are called for.
type ConnInfo struct {
	// ID is another for each connection of a Server, from 1 on.
	ID int64
	// RemoteAddr is the web server's address. On a Unix socket it rarely has a
	// name.
	RemoteAddr net.Addr
}

// ConnInfo returns the connection that the request came on.
func (r *Request) ConnInfo() ConnInfo { return connInfoOf(r.ref()) }

// ConnInfo returns the connection that the request came on.
func (ex Exchange) ConnInfo() ConnInfo { return connInfoOf(ex.ref) }

func connInfoOf(r engine.Ref) ConnInfo { return ConnInfo{r.ConnID(), r.RemoteAddr()} }

// connContext returns the engine's hook for ConnContext.
func (s *Server) connContext() func(context.Context, engine.ConnInfo) context.Context {
	if s.ConnContext == nil {
		return nil
	}
	return func(ctx context.Context, c engine.ConnInfo) context.Context { return s.ConnContext(ctx, ConnInfo(c)) }
}

// connState returns the engine's hook for ConnState.
func (s *Server) connState() func(engine.ConnInfo, engine.ConnState) {
	if s.ConnState == nil {
		return nil
	}
	return func(c engine.ConnInfo, state engine.ConnState) { s.ConnState(ConnInfo(c), connStates[state]) }
}

// connStates are the states as net/http has them.
var connStates = [...]http.ConnState{
	engine.ConnNew: http.StateNew, engine.ConnActive: http.StateActive,
	engine.ConnIdle: http.StateIdle, engine.ConnClosed: http.StateClosed,
}
