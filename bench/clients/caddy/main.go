//go:build linux

// Command caddy calls with the transport of Caddy's reverse proxy.
package main

import (
	"errors"
	"net/http"
	"sync"

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
	transport, err := provisioned()
	if err != nil {
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

// provisioned returns the transport as a running Caddy has it, which says nothing of
// each request: without that it would log them all.
var provisioned = sync.OnceValues(func() (http.RoundTripper, error) {
	off := false
	err := caddy.Run(&caddy.Config{Admin: &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &off}}})
	if err != nil {
		return nil, err
	}
	transport := &fastcgi.Transport{Root: "/srv/app"}
	return transport, transport.Provision(caddy.ActiveContext())
})
