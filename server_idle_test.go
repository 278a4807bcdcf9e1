package fastcgi_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

var bodyTimeout = limit{func(s *fastcgi.Server, d time.Duration) { s.BodyTimeout = d }, 60 * time.Second, "BodyTimeout"}

// W6: a body that is announced and stops coming is given up after BodyTimeout, from its last byte on, whoever reads it.
func TestW6BodyTimeout(t *testing.T) {
	atLimit(t, bodyTimeout, func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool) {
		errs := make(chan error, 1)
		srv.MaxConcurrency = 1
		srv.Handler = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			_, err := io.ReadAll(r)
			errs <- err
			io.WriteString(w, "Status: 200\r\n\r\nhello")
		})
		a := inBubble.serve(t, srv)
		w := a.dial(t)
		w.send(start(1, true, "CONTENT_LENGTH", "1000"), stdin(1, "abc"))
		sleep(100 * time.Millisecond)
		w.send(stdin(1, "d"))
		sleep(wait)
		if !passed {
			w.send(stdin(1, strings.Repeat("e", 996)))
			if err := receive(t, errs); err != nil {
				t.Errorf("reading returned %v", err)
			}
			w.send(stdinEnd(1))
			w.answer(1)
			return
		}
		if err := receive(t, errs); !errors.Is(err, fastcgi.ErrBodyTimeout) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading returned %v", err)
		}
		w.answer(1)
		a.log.expect(t, "BodyTimeout", "request=1")
		w.send(stdinEnd(1))
		w.send(start(2, true), stdinEnd(2))
		w.answer(2)
	})
}

// W6: so it is for every way to read, and for an http.Handler's Body.
func TestW6EveryReader(t *testing.T) {
	silent := map[string]func(done chan<- error) *fastcgi.Server{
		"WriteTo": func(done chan<- error) *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
				_, err := io.Copy(io.Discard, r)
				done <- err
			})}
		},
		"OnBody": func(done chan<- error) *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				ex.OnBody(func([]byte, bool) {})
				ex.OnAbort(func(cause error) { done <- cause; ex.Finish(1) })
			})}
		},
		"ReadAll": func(done chan<- error) *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				ex.ReadAll(2000, func(_ []byte, err error) { done <- err; ex.Finish(1) })
			})}
		},
		"Data": func(done chan<- error) *fastcgi.Server {
			return &fastcgi.Server{Filter: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
				_, err := io.ReadAll(r.Data())
				done <- err
			})}
		},
	}
	for name, srv := range silent {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done := make(chan error, 1)
				w := inBubble.serve(t, srv(done)).dial(t)
				role := fastcgi.RoleResponder
				if name == "Data" {
					role = fastcgi.RoleFilter
				}
				w.send(begin(1, role, true), params(1, "CONTENT_LENGTH", "1000"), paramsEnd(1), stdin(1, "abc"))
				sleep(fastcgi.DefaultBodyTimeout - 1)
				select {
				case err := <-done:
					t.Fatalf("too early: %v", err)
				default:
				}
				sleep(1)
				if err := receive(t, done); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("the error is %v", err)
				}
			})
		})
	}
}

// W6: where nobody would hear of it, the request ends with 408. A handler that is slow itself, one that does not read,
// and one that changed the protocol have all the time that they want.
func TestW6Sparing(t *testing.T) {
	for name, test := range map[string]struct {
		handler func(ex fastcgi.Exchange)
		status  int
	}{
		"nobody asks": {func(ex fastcgi.Exchange) { ex.OnBody(func([]byte, bool) {}) }, 408},
		"no reader":   {func(fastcgi.Exchange) {}, 0},
		"paused":      {func(ex fastcgi.Exchange) { ex.OnBody(func([]byte, bool) {}); ex.PauseBody() }, 0},
		"upgraded": {func(ex fastcgi.Exchange) {
			io.WriteString(ex, "Status: 101 Switching Protocols\r\n\r\n")
			ex.OnBody(func([]byte, bool) {})
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var held fastcgi.Exchange
				a := inBubble.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
					held = ex
					test.handler(ex)
				})})
				w := a.dial(t)
				w.send(start(1, true, "CONTENT_LENGTH", "1000"), stdin(1, "abc"))
				sleep(fastcgi.DefaultBodyTimeout)
				if test.status != 0 {
					if got := w.answer(1); got.status() != test.status {
						t.Errorf("the status is %d", got.status())
					}
					return
				}
				sleep(fastcgi.DefaultBodyTimeout)
				if held.Aborted() {
					t.Error("it was given up")
				}
				held.Finish(0)
				w.answer(1)
			})
		})
	}
}

// W14: idle is time without a request. Records that mean nothing, in any number below a body's, keep no connection.
func TestW14NothingKeepsAConnection(t *testing.T) {
	ping := protocol.AppendGetValues(nil, protocol.VarMaxConns)
	for name, record := range map[string][]byte{
		"aborts":       abort(7),
		"stdin":        stdin(7, strings.Repeat("x", 1000)),
		"questions":    ping,
		"unknown":      {1, 99, 0, 0, 0, 0, 0, 0},
		"padding":      {1, 4, 0, 7, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"half records": abort(7)[:4],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inBubble.serve(t, &fastcgi.Server{Handler: hello, IdleTimeout: time.Second}).dial(t)
				w.ask(1)
				began := time.Now()
				go io.Copy(io.Discard, w.Conn)
				for time.Since(began) < 10*time.Second {
					time.Sleep(200 * time.Millisecond)
					if _, err := w.Conn.Write(record); err != nil {
						break
					}
				}
				if d := time.Since(began); d > 1500*time.Millisecond {
					t.Errorf("it was open for %v", d)
				}
			})
		})
	}
}

// W14: requests one after the other do, however late the last byte of each.
func TestW14RequestsKeepAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inBubble.serve(t, &fastcgi.Server{Handler: hello, IdleTimeout: time.Second}).dial(t)
		for range 20 {
			w.send(slices.Concat(get(1, true)))
			w.answer(1).expect(t, "hello")
			sleep(time.Second - 1)
		}
	})
}
