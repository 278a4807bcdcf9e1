//go:build linux

// Command caddy calls with the transport of Caddy's reverse proxy.
package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"

	"github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

func main() { caller.Main(newCall) }

func newCall(t caller.Task) (caller.Call, error) {
	switch {
	case t.Keep || t.Multiplex:
		return nil, errors.New("Caddy has a connection for each request")
	case t.Network != "tcp":
		return nil, errors.New("Caddy's transport is told of Unix sockets by Caddy's proxy alone")
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	_ = cancel // as long as this process
	transport := fastcgi.Transport{Root: "/srv/app"}
	if err := transport.Provision(ctx); err != nil {
		return nil, err
	}
	server := new(caddyhttp.Server)
	buf := make([]byte, caller.BufferSize)
	return func(a *harness.Answer) error {
		req, err := t.NewRequest()
		if err != nil {
			return err
		}
		// What Caddy's server puts into the context of each request, and its proxy into
		// the URL.
		req = caddyhttp.PrepareRequest(req, caddy.NewReplacer(), nil, server)
		req.Host, req.URL.Host = "localhost", t.Addr
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		return caller.TakeResponse(a, resp, buf)
	}, nil
}

var _ http.RoundTripper = fastcgi.Transport{}
