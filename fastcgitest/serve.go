package fastcgitest

import (
	"context"
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

// Do sends a request to a server and returns its response, as [Call.Wait] does.
// The server may be asked again: Do does not close it. If ctx ends first, the
// connection is closed.
//
// Server.Driver must not be DriverLoop, which takes no connection in memory.
func Do(ctx context.Context, srv *fastcgi.Server, req *Request) (*Response, error) {
	return do(ctx, srv, req, false)
}

func do(ctx context.Context, srv *fastcgi.Server, req *Request, owned bool) (*Response, error) {
	c, err := start(ctx, srv, req, owned)
	if err != nil {
		return &Response{}, err
	}
	return c.Wait()
}

// Serve has a handler answer a request, in whatever role that is, and returns its
// response when the handler has returned. See [Call.Wait] for the errors. If ctx
// ends first, the request's context ends, and Serve does not wait for the handler.
func Serve(ctx context.Context, h fastcgi.Handler, req *Request) (*Response, error) {
	return ServeAsync(ctx, fastcgi.Async(h), req)
}

// ServeAsync is Serve for an AsyncHandler. It returns after Exchange.Finish was
// called.
func ServeAsync(ctx context.Context, h fastcgi.AsyncHandler, req *Request) (*Response, error) {
	return do(ctx, serverOf(h), req, true)
}

// serverOf returns a server that has h serve all roles.
func serverOf(h fastcgi.AsyncHandler) *fastcgi.Server {
	return &fastcgi.Server{AsyncHandler: h, AsyncAuthorizer: h, AsyncFilter: h}
}

// Authorize asks an authorizer about a request: it sends req in the role
// RoleAuthorizer, so without its body, as [Serve] does. The Response has status
// 200 and the Variables for Allow, and what is to be sent to the client for Deny.
func Authorize(ctx context.Context, a fastcgi.Authorizer, req *Request) (*Response, error) {
	return do(ctx, &fastcgi.Server{Authorizer: a}, req.inRole(fastcgi.RoleAuthorizer), true)
}

// Filter has a filter answer a request: it sends req in the role RoleFilter, as
// [Serve] does. Request.Data is what to filter.
func Filter(ctx context.Context, h fastcgi.Handler, req *Request) (*Response, error) {
	return do(ctx, &fastcgi.Server{Filter: h}, req.inRole(fastcgi.RoleFilter), true)
}

// ServeHTTP is [Serve] for an http.Handler, which it serves through
// fastcgi.HTTP. [Response.Result] returns the response as an *http.Response.
func ServeHTTP(ctx context.Context, h http.Handler, req *Request) (*Response, error) {
	return Serve(ctx, fastcgi.HTTP(h), req)
}
