package fastcgi_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// ignoring answers without a look at the body.
var ignoring = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { io.WriteString(w, "ignored") })

// On a connection that is kept, a request is not ended before its body is, as long as that goes on; its answer does not
// wait.
func TestRestOfBody(t *testing.T) {
	for _, pause := range []time.Duration{time.Millisecond, 199 * time.Millisecond, 201 * time.Millisecond} {
		t.Run(pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const pieces = 10
				w := inBubble.serve(t, &fastcgi.Server{Handler: ignoring}).dial(t)
				w.send(start(1, true))
				w.untilStdout(1, "ignored")
				began := time.Now()
				var sending sync.WaitGroup
				defer sending.Wait()
				sending.Go(func() {
					for range pieces {
						time.Sleep(pause)
						w.Write(stdin(1, "more"))
					}
					w.Write(stdinEnd(1))
				})
				w.answer(1)
				want := pieces * pause
				if pause > 200*time.Millisecond {
					want = 200 * time.Millisecond
				}
				if took := time.Since(began); took != want {
					t.Errorf("the request ended after %v, want %v", took, want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := inBubble.serve(t, &fastcgi.Server{Handler: ignoring}).dial(t)
		began := time.Now()
		w.send(start(1, false))
		w.answer(1)
		if took := time.Since(began); took != 0 {
			t.Errorf("on a connection that is not kept the request ended after %v", took)
		}
	})
}

// So it is where an error page is the answer.
func TestRestOfBodyBehindErrorPage(t *testing.T) {
	for name, handler := range map[string]fastcgi.HandlerFunc{
		"no response": func(fastcgi.ResponseWriter, *fastcgi.Request) {},
		"panic":       func(fastcgi.ResponseWriter, *fastcgi.Request) { panic(errTest) },
		"abort":       func(fastcgi.ResponseWriter, *fastcgi.Request) { panic(http.ErrAbortHandler) },
		"exit":        func(fastcgi.ResponseWriter, *fastcgi.Request) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inBubble.serve(t, &fastcgi.Server{Handler: handler}).dial(t)
				began := time.Now()
				w.send(start(1, true))
				w.untilStdout(1, "Status: 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nInternal Server Error\n")
				if took := time.Since(began); took != 0 {
					t.Errorf("the page came after %v", took)
				}
				const pause = 150 * time.Millisecond
				var sending sync.WaitGroup
				defer sending.Wait()
				sending.Go(func() {
					time.Sleep(pause)
					w.Write(stdinEnd(1))
				})
				w.answer(1)
				if took := time.Since(began); took != pause {
					t.Errorf("the request ended after %v, want %v", took, pause)
				}
			})
		})
	}
}

// A web server that stops sending once it is answered is not waited for, nor one that never comes to an end.
func TestRestOfBodyEnds(t *testing.T) {
	for name, test := range map[string]struct {
		every, want time.Duration
	}{
		"silent":  {time.Hour, 200 * time.Millisecond},
		"endless": {100 * time.Millisecond, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inBubble.serve(t, &fastcgi.Server{Handler: ignoring}).dial(t)
				w.send(start(1, true))
				w.untilStdout(1, "ignored")
				began := time.Now()
				stop := make(chan struct{})
				var sending sync.WaitGroup
				defer sending.Wait()
				sending.Go(func() {
					for {
						select {
						case <-stop:
							return
						case <-time.After(test.every):
							w.Write(stdin(1, "more"))
						}
					}
				})
				w.answer(1)
				close(stop)
				if took := time.Since(began); took != test.want {
					t.Errorf("the request ended after %v, want %v", took, test.want)
				}
			})
		})
	}
}

// With the body go its bytes: more than memory may hold passes.
func TestRestOfBodyPasses(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: ignoring, MemoryLimit: 1 << 20, SpoolLimit: 1}).dial(t)
		for range 3 {
			w.send(start(1, true))
			for range 100 {
				w.send(stdin(1, strings.Repeat("x", 60_000)))
			}
			w.send(stdinEnd(1))
			w.answer(1).expect(t, "ignored")
		}
	})
}
