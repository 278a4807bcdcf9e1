package fastcgi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

func TestHTTPFromContext(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fr := fastcgi.FromContext(r.Context())
			io.WriteString(fr.Stderr(), "to the log")
			fr.SetAppStatus(7)
			io.WriteString(w, fr.Role.String()+" "+fr.Params.Get("X"))
		})).dial(t)
		got := web.ask(1, httpGet("X", "y")...)
		if got.body() != "RESPONDER y" || got.stderr.String() != "to the log" || got.end.AppStatus != 7 {
			t.Errorf("got %q, %q, %+v", got.stdout.String(), got.stderr.String(), got.end)
		}
	})
	if fastcgi.FromContext(t.Context()) != nil {
		t.Error("a request came out of a context that has none")
	}
}

func TestHTTPContextValues(t *testing.T) {
	type key struct{}
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(context.WithValue(r.Context(), key{}, "own"))
			defer cancel()
			server, _ := ctx.Value(http.ServerContextKey).(*http.Server)
			addr, _ := ctx.Value(http.LocalAddrContextKey).(net.Addr)
			fmt.Fprint(w, ctx.Value(key{}), " ", server != nil, " ", addr, " ", fastcgi.FromContext(ctx) != nil, " ", ctx.Value("other"))
		})).dial(t)
		for _, tt := range []struct{ addr, port, want string }{
			{"192.0.2.9", "80", "192.0.2.9:80"},
			{"2001:db8::1", "443", "[2001:db8::1]:443"},
			{"192.0.2.9", "", "192.0.2.9:0"},
			{"", "80", "<nil>"},
			{"unix:/x", "", "<nil>"},
		} {
			want := "own true " + tt.want + " true <nil>"
			if got := web.ask(1, httpGet("SERVER_ADDR", tt.addr, "SERVER_PORT", tt.port)...).body(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

// The request's context says why the answer is not wanted, and so do those that are derived from it.
func TestHTTPContextEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		end   func(*web)
		cause error
	}{
		"abort":      {func(w *web) { w.send(abort(1)) }, fastcgi.ErrAborted},
		"disconnect": {func(w *web) { w.Close() }, fastcgi.ErrDisconnected},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				errs := make(chan error)
				web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					ctx, cancel := context.WithCancel(r.Context())
					defer cancel()
					errs <- ctx.Err()
					<-ctx.Done()
					errs <- context.Cause(ctx)
				})).dial(t)
				web.send(start(1, true, httpGet()...))
				if err := receive(t, errs); err != nil {
					t.Errorf("cancelled at the start: %v", err)
				}
				tt.end(web)
				if err := receive(t, errs); !errors.Is(err, tt.cause) {
					t.Errorf("cause is %v", err)
				}
			})
		})
	}
}

// What is kept of a request when it is over says so.
func TestHTTPContextOver(t *testing.T) {
	type key struct{}
	onUnix(t, func(t *testing.T, p place) {
		kept := make(chan *http.Request, 1)
		web := p.serve(t, &fastcgi.Server{
			Handler:     fastcgi.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept <- r })),
			BaseContext: context.WithValue(t.Context(), key{}, "base"),
		}).dial(t)
		web.send(start(1, true, httpGet("X", "y")...), stdin(1, "unread"))
		web.answer(1)
		r := <-kept
		fr := fastcgi.FromContext(r.Context())
		if err := r.Context().Err(); err == nil || fr.Params.Get("X") != "y" {
			t.Errorf("context has error %v, parameters are %v", err, fr.Params)
		}
		if got := r.Context().Value(key{}); got != "base" {
			t.Errorf("the base context's value is %v", got)
		}
		if _, err := fr.Stderr().Write([]byte("late")); !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("writing: %v", err)
		}
		if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("reading: %v", err)
		}
	})
}
