package caddyfcgi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	caddyfcgi "github.com/simple-fastcgi/fastcgi/contrib/caddy"
)

// A request that comes after Cleanup, which an old configuration may still have, is answered, and its
// connection closed.
func TestAfterCleanup(t *testing.T) {
	tr, err := unmarshal("keepalive 10m")
	if err != nil {
		t.Fatal(err)
	}
	provision(t, tr)
	app := start(t, hello)
	roundTrip(t, tr, app)
	if n := app.open.Load(); n != 1 {
		t.Errorf("%d connections are kept, want 1", n)
	}
	if err := tr.Cleanup(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the kept connection is closed", func() bool { return app.open.Load() == 0 })
	roundTrip(t, tr, app)
	eventually(t, "the connection is closed", func() bool { return app.open.Load() == 0 })
	if n := app.accepted.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func provision(t *testing.T, tr *caddyfcgi.Transport) {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	if err := tr.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Cleanup() })
}

// roundTrip asks an application as reverse_proxy does, and returns the body of its response.
func roundTrip(t *testing.T, tr *caddyfcgi.Transport, app *application) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://example.org/", nil)
	r.URL.Host = app.address(t)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	r = caddyhttp.PrepareRequest(r.WithContext(ctx), caddy.NewReplacer(), nil, &caddyhttp.Server{})
	resp, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
