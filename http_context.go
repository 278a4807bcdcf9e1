package fastcgi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// requestKey is the key of a *Request in the context of an http.Request.
type requestKey struct{}

// An httpContext is the context of an http.Request: that of the FastCGI request,
// with what net/http's own server puts into it.
type httpContext struct {
	context.Context
	request *Request
	server  *http.Server
}

// Value implements context.Context. There is an http.Server, although none is
// serving, because handlers ask for it to learn whether a panic with
// http.ErrAbortHandler will be understood: httputil.ReverseProxy passes for
// complete what was cut short, if not.
func (c *httpContext) Value(key any) any {
	switch key {
	case requestKey{}:
		return c.request
	case http.ServerContextKey:
		return c.server
	case http.LocalAddrContextKey:
		return localAddr(c.request.Params)
	}
	return c.Context.Value(key)
}

// localAddr returns the address that the client connected to, or nil if the web
// server does not tell.
func localAddr(p Params) any {
	ip, err := netip.ParseAddr(p.Get("SERVER_ADDR"))
	if err != nil {
		return nil
	}
	port, _ := strconv.ParseUint(p.Get("SERVER_PORT"), 10, 16)
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port)))
}
