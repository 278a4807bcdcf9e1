package fastcgi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// requestKey is the key of a *Request in the context of an http.Request, and
// callKey that of its *httpCall.
type (
	requestKey struct{}
	callKey    struct{}
)

// An httpContext is the context of an http.Request: that of the FastCGI request,
// with what net/http's own server puts into it.
//
// The FastCGI request's is asked for when somebody asks this one. Many handlers
// never do, and without it a small request costs a tenth less.
type httpContext struct {
	call    *httpCall // that it is part of
	request *Request
	server  *http.Server
	base    context.Context // what the FastCGI request's context derives from
	once    sync.Once
	of      context.Context // the FastCGI request's
}

func (c *httpContext) context() context.Context {
	c.once.Do(func() { c.of = c.request.Context() })
	return c.of
}

// Deadline implements context.Context.
func (c *httpContext) Deadline() (time.Time, bool) { return c.base.Deadline() }

// Done implements context.Context.
func (c *httpContext) Done() <-chan struct{} { return c.context().Done() }

// Err implements context.Context.
func (c *httpContext) Err() error { return c.context().Err() }

// Value implements context.Context. There is an http.Server, although none is
// serving, because handlers ask for it to learn whether a panic with
// http.ErrAbortHandler will be understood: httputil.ReverseProxy passes for
// complete what was cut short, if not.
func (c *httpContext) Value(key any) any {
	switch key {
	case requestKey{}:
		return c.request
	case callKey{}:
		return c.call
	case http.ServerContextKey:
		return c.server
	case http.LocalAddrContextKey:
		if addr := cgi.LocalAddr(c.request.Params.pairs); addr != nil {
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
