package nethttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
)

// callKey is the key of a *call in the context of its http.Request.
type callKey struct{}

// Owner returns what the request that a context belongs to was said to belong to,
// nil if the context is not from a request served here.
func Owner(ctx context.Context) any {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.in.Owner
	}
	return nil
}

// An requestContext is the context of an http.Request: that of the FastCGI request,
// with what net/http's own server puts into it.
//
// The FastCGI request's is asked for when somebody asks this one. Many handlers
// never do, and without it a small request costs a tenth less.
type requestContext struct {
	call   *call // that it is part of
	server *http.Server
	base   context.Context // what the FastCGI request's context derives from
	once   sync.Once
	of     context.Context // the FastCGI request's
}

func (c *requestContext) context() context.Context {
	c.once.Do(func() { c.of = engine.RefOf(c.call.in.Call).Context() })
	return c.of
}

// Deadline implements context.Context.
func (c *requestContext) Deadline() (time.Time, bool) { return c.base.Deadline() }

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} { return c.context().Done() }

// Err implements context.Context.
func (c *requestContext) Err() error { return c.context().Err() }

// Value implements context.Context. There is an http.Server, although none is
// serving, because handlers ask for it to learn whether a panic with
// http.ErrAbortHandler will be understood: httputil.ReverseProxy passes for
// complete what was cut short, if not.
func (c *requestContext) Value(key any) any {
	switch key {
	case callKey{}:
		return c.call
	case http.ServerContextKey:
		return c.server
	case http.LocalAddrContextKey:
		if addr := cgi.LocalAddr(*c.call.in.Params); addr != nil {
			return addr
		}
		return nil
	}
	if v := c.context().Value(key); v != nil {
		return v
	}
	// A request that was over before anybody asked has a context of nothing.
	return c.base.Value(key)
}
