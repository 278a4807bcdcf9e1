package fastcgi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// W19: handlers of every kind are told that the server shuts down, and end in time by themselves.
func TestW19DrainIsTold(t *testing.T) {
	streaming := map[string]func() *fastcgi.Server{
		"sync": func() *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				io.WriteString(w, "Status: 200\r\n\r\nbegun ")
				w.Flush()
				<-r.Draining()
				io.WriteString(w, "ended")
			})}
		},
		"async": func() *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				io.WriteString(ex, "Status: 200\r\n\r\nbegun ")
				ex.Flush()
				ex.OnShutdown(func() {
					io.WriteString(ex, "ended")
					ex.Finish(0)
				})
			})}
		},
		"http": func() *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "begun ")
				w.(http.Flusher).Flush()
				<-fastcgi.FromContext(r.Context()).Draining()
				io.WriteString(w, "ended")
			}))}
		},
		"hook": func() *fastcgi.Server {
			over := make(chan struct{})
			srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				io.WriteString(w, "Status: 200\r\n\r\nbegun ")
				w.Flush()
				<-over
				io.WriteString(w, "ended")
			})}
			srv.RegisterOnShutdown(func() { close(over) })
			return srv
		},
	}
	for name, server := range streaming {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, server())
				w := a.dial(t)
				w.send(start(1, true, httpGet()...), stdinEnd(1))
				w.untilStdout(1, "begun ")
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				down := make(chan error, 1)
				go func() { down <- a.Shutdown(ctx) }()
				if got := w.answer(1); got.body() != "begun ended" {
					t.Errorf("the answer is %q", got.body())
				}
				w.expectEOF()
				if err := <-down; err != nil {
					t.Errorf("Shutdown returned %v", err)
				}
			})
		})
	}
}

// W19: a request that begins while the server shuts down is told at once, and each is told once.
func TestW19LateAndOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		var mu sync.Mutex
		told := map[uint16]int{}
		requests := make(chan fastcgi.Exchange, 2)
		a := p.serve(t, &fastcgi.Server{DrainGrace: time.Hour, AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			id := ex.ID()
			ex.OnShutdown(func() {
				mu.Lock()
				told[id]++
				mu.Unlock()
				requests <- ex
			})
		})})
		first, second := a.dial(t), a.dial(t)
		second.send(get(7, true))
		first.send(get(1, true))
		eventually(t, "both are there", func() bool { return a.Stats().ActiveRequests == 2 })
		go a.Shutdown(t.Context())
		for range 2 {
			receive(t, requests).Finish(0)
		}
		first.answer(1)
		second.answer(7)
		first.expectEOF()
		second.expectEOF()
		mu.Lock()
		defer mu.Unlock()
		if told[1] != 1 || told[7] != 1 {
			t.Errorf("they were told %v times", told)
		}
	})
}

// W19: when BaseContext ends, or what ConnContext returned, requests are cancelled with its cause, async ones as well.
func TestW19BaseContextEnds(t *testing.T) {
	cause := errors.New("the base is gone")
	for _, which := range []string{"BaseContext", "ConnContext"} {
		t.Run(which, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				ctx, cancel := context.WithCancelCause(t.Context())
				causes := make(chan error, 2)
				srv := &fastcgi.Server{
					AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						ex.OnAbort(func(cause error) {
							causes <- cause
							ex.Finish(0)
						})
					}),
					Filter: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
						<-r.Context().Done()
						causes <- context.Cause(r.Context())
					}),
				}
				if which == "BaseContext" {
					srv.BaseContext = ctx
				} else {
					srv.ConnContext = func(context.Context, fastcgi.ConnInfo) context.Context { return ctx }
				}
				a := p.serve(t, srv)
				w := a.dial(t)
				w.send(get(1, true), begin(2, fastcgi.RoleFilter, true), paramsEnd(2), stdinEnd(2), dataEnd(2))
				eventually(t, "both are there", func() bool { return a.Stats().ActiveRequests == 2 })
				cancel(cause)
				for range 2 {
					if err := receive(t, causes); !errors.Is(err, cause) {
						t.Errorf("the cause is %v", err)
					}
				}
				w.answer(1)
				w.answer(2)
			})
		})
	}
}

var drainGrace = limit{func(s *fastcgi.Server, d time.Duration) { s.DrainGrace = d }, 250 * time.Millisecond, "DrainGrace"}

// W23: a request on an idle connection of a server that shuts down is answered until DrainGrace is over, and the
// connection closed right behind the answer.
func TestW23DrainGrace(t *testing.T) {
	for _, set := range []time.Duration{0, time.Second} {
		for _, off := range []time.Duration{-1, 0, 1} {
			t.Run(set.String()+"/"+off.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					grace := set
					if set == 0 {
						grace = drainGrace.by
					}
					a := inBubble.serve(t, &fastcgi.Server{Handler: hello, DrainGrace: set})
					w := a.dial(t)
					w.ask(1)
					synctest.Wait()
					go a.Shutdown(t.Context())
					sleep(grace + off)
					if off < 0 {
						w.ask(2).expect(t, "hello")
					}
					w.expectEOF()
				})
			})
		}
	}
}

// W23: below zero idle connections are closed at once.
func TestW23NoGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inBubble.serve(t, &fastcgi.Server{Handler: hello, DrainGrace: -1})
		w := a.dial(t)
		w.ask(1)
		synctest.Wait()
		if err := a.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		w.expectEOF()
	})
}

// W23: nginx closes a connection if anything comes behind the end of a request, and so sends no other on it. It is told
// so when the server shuts down, on idle connections as well, where a request that crosses the goodbye is answered.
func TestW23Goodbye(t *testing.T) {
	for software, goodbyes := range map[string]int{"nginx/1.22.1": 2, "Apache": 0, "nginxen/1.0": 0, "": 0} {
		t.Run(software, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				srv := &fastcgi.Server{Handler: hello, DrainGrace: time.Hour}
				begun := make(chan struct{})
				srv.RegisterOnShutdown(func() { close(begun) })
				a := p.serve(t, srv)
				w := a.dial(t)
				w.takesGoodbyes = true
				w.ask(1, "SERVER_SOFTWARE", software)
				go a.Shutdown(t.Context())
				receive(t, begun)
				for goodbyes > 0 && w.goodbyes == 0 { // that of the idle connection
					if err := w.read(); err != nil {
						t.Fatal(err)
					}
				}
				w.ask(1, "SERVER_SOFTWARE", software).expect(t, "hello")
				w.expectEOF()
				if w.goodbyes != goodbyes {
					t.Errorf("there were %d goodbyes, not %d", w.goodbyes, goodbyes)
				}
			})
		})
	}
}

// W23: a goodbye stands behind the end of a request that had begun before, and nowhere while the server goes on.
func TestW23GoodbyeBehindTheLast(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		begun := make(chan struct{}, 1)
		a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			begun <- struct{}{}
			if r.Params.Get("QUERY_STRING") == "wait" {
				<-r.Draining()
			}
			io.WriteString(w, "hello")
		})})
		w := a.dial(t)
		w.ask(1, "SERVER_SOFTWARE", "nginx/1.22.1").expect(t, "hello")
		receive(t, begun)
		w.takesGoodbyes = true
		w.send(get(1, true, "SERVER_SOFTWARE", "nginx/1.22.1", "QUERY_STRING", "wait"))
		receive(t, begun)
		if w.goodbyes != 0 {
			t.Error("there was a goodbye too soon")
		}
		go a.Shutdown(t.Context())
		w.answer(1).expect(t, "hello")
		w.expectEOF()
		if w.goodbyes != 1 {
			t.Errorf("there were %d goodbyes", w.goodbyes)
		}
	})
}

// W23: where only the end of a body may be on its way, a connection that the web server leaves open holds up the end of
// the server for a moment; where content may be, for as long as at any other time.
func TestW23LingersForAMoment(t *testing.T) {
	for length, want := range map[string]time.Duration{"": 450 * time.Millisecond, "5": 5250 * time.Millisecond} {
		t.Run("CONTENT_LENGTH "+length, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := inBubble.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
					io.WriteString(ex, "hello")
					ex.Finish(0)
				})})
				w := a.dial(t)
				w.send(start(1, true, "CONTENT_LENGTH", length))
				w.answer(1).expect(t, "hello")
				begun := time.Now()
				if err := a.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != want {
					t.Errorf("it took %v, not %v", took, want)
				}
			})
		})
	}
}
