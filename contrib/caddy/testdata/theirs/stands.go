// What Caddy's own tests of its transport call by other names, for when they are compiled into this package by
// TestTheirs. They stay in Caddy's module; none of them is in this repository.
package caddyfcgi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/simple-fastcgi/fastcgi/client"
)

var (
	ErrInvalidSplitPath = errNotASCII
	noopLogger          = zap.NewNop()
	headerNameReplacer  = strings.NewReplacer("-", "_")
)

type envVars map[string]string

// splitPos is where the script's name ends, or -1.
func (t Transport) splitPos(path string) int {
	script, info := t.split(path)
	if len(t.SplitPath) > 0 && info == "" && !t.hasEnding(script) {
		return -1
	}
	return len(script)
}

func (t *Transport) hasEnding(script string) bool {
	for _, ending := range t.SplitPath {
		if ending != "" && strings.HasSuffix(lowerASCII(script), ending) {
			return true
		}
	}
	return false
}

// errAsked is what becomes of a request of which only the variables are wanted.
var errAsked = errors.New("asked")

type asked struct{ env envVars }

func (a *asked) Do(_ context.Context, req *client.Request) (*client.Response, error) {
	for _, p := range req.Params {
		a.env[p.Name] = p.Value
	}
	return nil, errAsked
}

// buildEnv returns the variables that an application would be sent.
func (t *Transport) buildEnv(r *http.Request) (envVars, error) {
	if t.logger == nil {
		t.logger = noopLogger
	}
	params, err := t.params(r)
	if err != nil {
		return nil, err
	}
	t.upstreams = &upstreams{make: t.newUpstream, forget: time.Hour}
	a := &asked{env: envVars{}}
	transport := t.newUpstream(target{"tcp", "127.0.0.1:1"}).transport
	transport.Client = a
	x := &exchange{transport: t, request: r, params: params}
	if _, err := x.run(transport); !errors.Is(err, errAsked) {
		return nil, err
	}
	return a.env, nil
}

// fcgiRequest sends a request to the application at addr, and returns the response and what is logged.
func fcgiRequest(t *testing.T, addr, method string, readTimeout time.Duration) (*http.Response, *observer.ObservedLogs) {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	transport := &Transport{Root: "/", ReadTimeout: caddy.Duration(readTimeout)}
	if err := transport.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.Cleanup() })
	core, logs := observer.New(zap.DebugLevel)
	transport.logger = zap.New(core)
	r := httptest.NewRequest(method, "http://example.com/index.php", nil)
	r.URL.Host = addr
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, &caddyhttp.Server{})
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp, logs
}
