package fastcgi_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A stateLog is what ConnState was told, for each connection.
type stateLog struct {
	mu     sync.Mutex
	states map[int64][]string
}

func (l *stateLog) note(c fastcgi.ConnInfo, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = map[int64][]string{}
	}
	if c.RemoteAddr == nil {
		state = -1
	}
	l.states[c.ID] = append(l.states[c.ID], state.String())
}

func (l *stateLog) of(id int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.states[id], " ")
}

// ConnState is told of every change, in order, with each kind of handler and whoever closes.
func TestConnState(t *testing.T) {
	for _, test := range []struct {
		name string
		talk func(a *app, w *web)
		want string
	}{
		{"never used", func(_ *app, w *web) { w.Close() }, "new closed"},
		{"one request", func(_ *app, w *web) { w.send(get(1, false)); w.answer(1); w.expectEOF() }, "new active idle closed"},
		{"two requests", func(_ *app, w *web) { w.ask(1); w.ask(1); w.Close() }, "new active idle active idle closed"},
		{"two at once", func(_ *app, w *web) {
			w.send(start(1, true), start(2, true), stdinEnd(1), stdinEnd(2))
			w.answer(1)
			w.answer(2)
			w.Close()
		}, "new active idle closed"},
		{"cut short", func(_ *app, w *web) { w.send(start(1, true)); w.Close() }, "new active idle closed"},
		{"no FastCGI", func(_ *app, w *web) { w.send([]byte("GET / HTTP/1.1\r\n\r\n")); w.expectClosed() }, "new closed"},
		{"closed by the server", func(a *app, w *web) { w.ask(1); a.Close() }, "new active idle closed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for kind, srv := range waitingForBody() {
				t.Run(kind, func(t *testing.T) {
					everywhere(t, func(t *testing.T, p place) {
						var log stateLog
						srv := srv()
						srv.ConnState = log.note
						a := p.serve(t, srv)
						test.talk(a, a.dial(t))
						eventually(t, "closed", func() bool { return strings.HasSuffix(log.of(1), "closed") })
						if got := log.of(1); got != test.want {
							t.Errorf("got %s, want %s", got, test.want)
						}
					})
				})
			}
		})
	}
}

// waitingForBody are servers whose requests end at the end of their body.
func waitingForBody() map[string]func() *fastcgi.Server {
	return map[string]func() *fastcgi.Server{
		"sync": func() *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
				for {
					if _, err := r.Read(make([]byte, 1)); err != nil {
						return
					}
				}
			})}
		},
		"async": func() *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				ex.OnAbort(func(error) { ex.Finish(0) })
				ex.OnBody(func(_ []byte, last bool) {
					if last {
						ex.Finish(0)
					}
				})
			})}
		},
	}
}

// Nobody can shut a server down behind ConnState's back: StateClosed comes before Shutdown returns.
func TestConnStateBeforeShutdown(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		var log stateLog
		a := p.serve(t, &fastcgi.Server{Handler: hello, ConnState: log.note})
		for range 10 {
			a.dial(t).ask(1)
		}
		if err := a.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id := range int64(10) {
			if got := log.of(id + 1); got != "new active idle closed" {
				t.Errorf("connection %d: %s", id+1, got)
			}
		}
	})
}

// ConnContext gives the requests of a connection what is the connection's.
func TestConnContext(t *testing.T) {
	type key struct{}
	handlers := map[string]fastcgi.Handler{
		"sync": fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			fmt.Fprint(w, "Content-Type: text/plain\r\n\r\n", r.Context().Value(key{}), " ", r.ConnInfo().ID)
		}),
		"http": fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Context().Value(key{}), " ", fastcgi.FromContext(r.Context()).ConnInfo().ID)
		})),
	}
	for name, h := range handlers {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{
					Handler:     h,
					BaseContext: context.WithValue(t.Context(), key{}, "base"),
					ConnContext: func(ctx context.Context, c fastcgi.ConnInfo) context.Context {
						return context.WithValue(ctx, key{}, fmt.Sprint(ctx.Value(key{}), "+", c.ID))
					},
				})
				var got []string
				for range 2 {
					w := a.dial(t)
					for range 2 {
						got = append(got, w.ask(1, httpGet()...).body())
					}
				}
				slices.Sort(got)
				if want := []string{"base+1 1", "base+1 1", "base+2 2", "base+2 2"}; !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// A hook that panics is logged, and the connection served all the same.
func TestConnHooksPanic(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{
			Handler:     hello,
			ConnContext: func(context.Context, fastcgi.ConnInfo) context.Context { return nil },
			ConnState:   func(fastcgi.ConnInfo, http.ConnState) { panic("oops") },
		})
		a.dial(t).ask(1).expect(t, "hello")
		for _, want := range []string{"ConnContext returned nil", "oops"} {
			if !strings.Contains(a.log.String(), want) {
				t.Errorf("the log does not have %q:\n%s", want, a.log)
			}
		}
	})
}
