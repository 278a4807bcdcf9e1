package fastcgi_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// A breakOff is how a function of the application's does not return.
type breakOff struct {
	do         func()
	log, where string // what is logged of it
}

var panics = breakOff{func() { panic(errTest) }, errTest.Error(), "server_panic_test.go"}

// brokenOff runs a test with each way to break off. W9: in a callback, to end the goroutine costs no more than a panic.
func brokenOff(t *testing.T, test func(t *testing.T, off breakOff)) {
	t.Run("panic", func(t *testing.T) { test(t, panics) })
	t.Run("Goexit", func(t *testing.T) { test(t, breakOff{runtime.Goexit, "runtime.Goexit was called", "goroutine"}) })
}

// unharmed wants the server to have counted and logged one panic, and the connection to go on.
func unharmed(t *testing.T, a *app, w *web, off breakOff) {
	t.Helper()
	a.log.expect(t, "level=ERROR", "panicked", off.log, off.where)
	if n := a.Stats().Panics; n != 1 {
		t.Errorf("%d panics were counted", n)
	}
	if got := w.ask(2, "WELL", "1").stdout.String(); got != "well" {
		t.Errorf("the next answer is %q", got)
	}
}

// F4: a Handler that panics has its request answered 500, or what it had begun cut short, and nothing else is harmed.
func TestF4PanicSync(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler func(w fastcgi.ResponseWriter, r *fastcgi.Request)
		stdout  string // empty: an error page
	}{
		{"before output", func(fastcgi.ResponseWriter, *fastcgi.Request) { panic(errTest) }, ""},
		{"after output", func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			io.WriteString(w, "partial\n")
			panic(errTest)
		}, "partial\n"},
		{"after a flush", func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			io.WriteString(w, "partial\n")
			w.Flush()
			panic(errTest)
		}, "partial\n"},
		{"in a sequence", func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			fastcgi.SendResponse(w, 200, "", func(yield func(string) bool) {
				yield("partial\n")
				panic(errTest)
			})
		}, "Status: 200 OK\r\n\r\npartial\n"},
		{"after standard error alone", func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			io.WriteString(w.Stderr(), "oh\n")
			panic(errTest)
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
					if r.Params.Get("WELL") == "" {
						test.handler(w, r)
					}
					io.WriteString(w, "well")
				})})
				w := a.dial(t)
				got := w.ask(1)
				if test.stdout == "" {
					got.expectStatus(t, 500)
				} else if got.stdout.String() != test.stdout {
					t.Errorf("the answer is %q", got.stdout.String())
				}
				if got.end.AppStatus == 0 || !strings.Contains(got.stderr.String(), errTest.Error()) {
					t.Errorf("the request ended with %+v, %q", got.end, got.stderr.String())
				}
				unharmed(t, a, w, panics)
			})
		})
	}
}

// F4: so does an AsyncHandler, in whichever of its callbacks.
func TestF4PanicAsync(t *testing.T) {
	brokenOff(t, func(t *testing.T, off breakOff) {
		for _, test := range []struct {
			name    string
			handler func(ex fastcgi.Exchange)
			sent    []byte
			stdout  string
		}{
			{name: "ServeAsync", handler: func(fastcgi.Exchange) { off.do() }},
			{name: "ServeAsync, after output", handler: func(ex fastcgi.Exchange) {
				io.WriteString(ex, "partial\n")
				ex.Flush()
				off.do()
			}, stdout: "partial\n"},
			{name: "OnBody", handler: func(ex fastcgi.Exchange) {
				ex.OnBody(func([]byte, bool) { off.do() })
			}, sent: stdin(1, "body")},
			{name: "OnBody, at the end", handler: func(ex fastcgi.Exchange) {
				ex.OnBody(func(_ []byte, last bool) {
					if last {
						off.do()
					}
				})
			}, sent: stdinEnd(1)},
			{name: "ReadAll", handler: func(ex fastcgi.Exchange) {
				ex.ReadAll(100, func([]byte, error) { off.do() })
			}, sent: stdinEnd(1)},
			{name: "OnAbort", handler: func(ex fastcgi.Exchange) {
				ex.OnAbort(func(error) { off.do() })
			}, sent: abort(1), stdout: "nothing"},
			{name: "OnDrain", handler: func(ex fastcgi.Exchange) {
				io.WriteString(ex, strings.Repeat("x", 10<<20))
				ex.OnDrain(off.do)
				io.WriteString(ex, "more")
			}, stdout: strings.Repeat("x", 10<<20)},
			{name: "stream", handler: func(ex fastcgi.Exchange) {
				fastcgi.SendResponse(ex, 200, "", func(yield func(string) bool) {
					yield("partial\n")
					off.do()
				})
				ex.Finish(0)
			}, stdout: "Status: 200 OK\r\n\r\npartial\n"},
		} {
			t.Run(test.name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						if ex.Params().Get("WELL") == "" {
							test.handler(ex)
							return
						}
						io.WriteString(ex, "well")
						ex.Finish(0)
					})})
					w := a.dial(t)
					w.send(start(1, true), test.sent)
					got := w.answer(1)
					switch test.stdout {
					case "":
						got.expectStatus(t, 500)
					case "nothing":
						if got.stdout.Len() > 0 {
							t.Errorf("the answer is %q", got.stdout.String())
						}
					default:
						if got.stdout.String() != test.stdout || got.end.AppStatus == 0 {
							t.Errorf("the answer is %q, %+v", clip(got.stdout.String()), got.end)
						}
					}
					unharmed(t, a, w, off)
				})
			})
		}
	})
}

// F4: a handler that breaks off with http.ErrAbortHandler has its client told, as one that panics by mistake has, but
// there is nothing in any log.
func TestF4AbortHandler(t *testing.T) {
	write := func(w io.Writer, text string) {
		if text != "" {
			io.WriteString(w, text)
		}
		panic(http.ErrAbortHandler)
	}
	for name, serverOf := range map[string]func(text string) *fastcgi.Server{
		"sync": func(text string) *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { write(w, text) })}
		},
		"async": func(text string) *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { write(ex, text) })}
		},
		"loop": func(text string) *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				ex.Loop().Post(func() { write(ex, text) })
			})}
		},
		"http": func(text string) *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if text != "" {
					w.(http.Flusher).Flush()
				}
				write(w, text)
			}))}
		},
	} {
		for _, text := range []string{"", "partial"} {
			t.Run(name+"/"+text, func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					a := p.serve(t, serverOf(text))
					w := a.dial(t)
					for id := uint16(1); id <= 2; id++ { // the connection lives
						got := w.ask(id, httpGet()...)
						if text == "" {
							got.expectStatus(t, 500)
						} else if !strings.HasSuffix(got.stdout.String(), text) {
							t.Errorf("the answer is %q", got.stdout.String())
						}
						if got.end.AppStatus != 1 || got.stderr.Len() > 0 {
							t.Errorf("the request ended with %+v, %q", got.end, got.stderr.String())
						}
					}
					a.Close()
					if n := a.Stats().Panics; n != 0 || strings.Contains(a.log.String(), "panicked") {
						t.Errorf("%d panics were counted, and this logged:\n%s", n, a.log)
					}
				})
			})
		}
	}
}

// F4: nor is there where it has no request to end any more.
func TestF4AbortHandlerWithoutRequest(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			io.WriteString(ex, "well")
			ex.Finish(0)
			panic(http.ErrAbortHandler)
		})})
		ran := make(chan bool, 1)
		a.Loop().Post(func() {
			defer func() { ran <- true }()
			panic(http.ErrAbortHandler)
		})
		receive(t, ran)
		w := a.dial(t)
		for id := uint16(1); id <= 2; id++ {
			w.ask(id).expect(t, "well")
		}
		if n := a.Stats().Panics; n != 0 || strings.Contains(a.log.String(), "panicked") {
			t.Errorf("%d panics were counted, and this logged:\n%s", n, a.log)
		}
	})
}

// F4: an Authorizer that breaks off allows nothing: an answer of nothing passes for status 200 with some web servers.
func TestF4AbortHandlerAuthorizer(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{
			Authorizer: fastcgi.AuthorizerFunc(func(*fastcgi.Request) fastcgi.Decision { panic(http.ErrAbortHandler) }),
		}).dial(t)
		w.send(begin(1, fastcgi.RoleAuthorizer, true), paramsEnd(1))
		w.answer(1).expectStatus(t, 500)
	})
}

// F4: a panic that has no request to answer any more is logged all the same.
func TestF4PanicWithoutRequest(t *testing.T) {
	brokenOff(t, func(t *testing.T, off breakOff) {
		for name, handler := range map[string]func(ex fastcgi.Exchange){
			"after Finish": func(ex fastcgi.Exchange) {
				io.WriteString(ex, "well")
				ex.Finish(0)
				off.do()
			},
			"AfterFunc": func(ex fastcgi.Exchange) {
				ex.Loop().AfterFunc(0, off.do)
				io.WriteString(ex, "well")
				ex.Finish(0)
			},
		} {
			t.Run(name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						if ex.ID() == 1 {
							handler(ex)
							return
						}
						io.WriteString(ex, "well")
						ex.Finish(0)
					})})
					w := a.dial(t)
					w.ask(1).expect(t, "well")
					unharmed(t, a, w, off)
				})
			})
		}
	})
}

// W18: a panic in a function on a request's own loop ends that request, as one in any other of its callbacks does.
func TestW18PanicOnLoop(t *testing.T) {
	brokenOff(t, func(t *testing.T, off breakOff) {
		for name, handler := range map[string]func(ex fastcgi.Exchange, f func()){
			"posted": func(ex fastcgi.Exchange, f func()) { ex.Loop().Post(f) },
			"timer":  func(ex fastcgi.Exchange, f func()) { ex.Loop().AfterFunc(time.Millisecond, f) },
			"timer of a timer": func(ex fastcgi.Exchange, f func()) {
				ex.Loop().AfterFunc(0, func() { ex.Loop().AfterFunc(0, f) })
			},
		} {
			t.Run(name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						if ex.ID() == 1 {
							handler(ex, off.do)
							return
						}
						io.WriteString(ex, "well")
						ex.Finish(0)
					})})
					w := a.dial(t)
					if got := w.ask(1); got.status() != 500 || got.end.AppStatus != 2 {
						t.Errorf("status %d, %+v", got.status(), got.end)
					}
					a.log.expect(t, "handler panicked", "request=1", off.log)
					unharmed(t, a, w, off)
				})
			})
		}
	})
}

// W18: one in a function that belongs to no request is logged as such.
func TestW18PanicOnServerLoop(t *testing.T) {
	brokenOff(t, func(t *testing.T, off breakOff) {
		everywhere(t, func(t *testing.T, p place) {
			a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				io.WriteString(ex, "well")
				ex.Finish(0)
			})})
			a.Loop().AfterFunc(0, off.do)
			a.log.expect(t, "handler panicked", "no request", off.log)
			unharmed(t, a, a.dial(t), off)
		})
	})
}

// F4: an Authorizer that panics allows nothing.
func TestF4PanicAuthorizer(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{
			Authorizer: fastcgi.AuthorizerFunc(func(*fastcgi.Request) fastcgi.Decision { panic(errTest) }),
		}).dial(t)
		w.send(begin(1, fastcgi.RoleAuthorizer, true), paramsEnd(1))
		w.answer(1).expectStatus(t, 500)
	})
}

// F4: siblings on the connection, and those that wait for the place of the one that panicked, go on.
func TestF4PanicSparesOthers(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		w := p.serve(t, &fastcgi.Server{MaxConcurrency: 2, Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			if r.ID%2 == 0 {
				panic(errTest)
			}
			holding(requests).ServeFastCGI(w, r)
		})}).dial(t)
		w.send(get(1, true))
		first := receive(t, requests)
		w.send(get(2, true), get(4, true), get(3, true))
		w.answer(2).expectStatus(t, 500)
		w.answer(4).expectStatus(t, 500)
		receive(t, requests).finish()
		w.answer(3).expectUnanswered(t)
		if first.r.Aborted() {
			t.Error("the sibling was cancelled")
		}
		first.finish()
		w.answer(1).expectUnanswered(t)
	})
}

// W9: a handler that ends its goroutine has not answered, whatever it has written: its request ends as one that
// panicked, and the next is served.
func TestW9HandlerExits(t *testing.T) {
	exits := func(text string) fastcgi.Handler {
		return fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			io.WriteString(w, text)
			runtime.Goexit()
		})
	}
	exitsHTTP := func(text string) fastcgi.Handler {
		return fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, text)
			if text != "" {
				w.(http.Flusher).Flush()
			}
			runtime.Goexit()
		}))
	}
	for name, test := range map[string]struct {
		handler fastcgi.Handler
		status  int
	}{
		"nothing":       {exits(""), 500},
		"something":     {exits("Status: 201\r\n\r\nsome"), 201},
		"http":          {exitsHTTP(""), 500},
		"http, flushed": {exitsHTTP("some"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{Handler: test.handler})
				w := a.dial(t)
				for id := uint16(1); id <= 2; id++ {
					w.send(start(id, true, httpGet()...), stdinEnd(id))
					if got := w.answer(id); got.status() != test.status || got.end.AppStatus == 0 {
						t.Errorf("the status is %d, %+v", got.status(), got.end)
					}
				}
				a.log.expect(t, "handler panicked", "runtime.Goexit", "request=1")
			})
		})
	}
}

// W12: a panic's text, which may be a client's, is one line in the web server's log, whatever it holds.
func TestW12PanicEscaped(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		text := "bad input: wörld\r\n2026/01/01 [alert] \x1b[2J\x00\u2028\xff"
		w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
			panic(text + r.Params.Get("MORE"))
		})}).dial(t)
		const want = `fastcgi: handler panicked: bad input: wörld\r\n2026/01/01 [alert] \x1b[2J\x00\u2028\xff`
		if got := w.ask(1).stderr.String(); got != want+"\n" {
			t.Errorf("STDERR is %q", got)
		}
		if got := w.ask(2, "MORE", strings.Repeat("x", 30_000)).stderr.String(); !strings.HasPrefix(got, want+"xxx") || len(got) > 4200 || !strings.HasSuffix(got, " more bytes)\n") {
			t.Errorf("STDERR is %q", clip(got))
		}
	})
}
