package fastcgi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi"
)

// stages are how far a request may be when it is cancelled.
var stages = []struct {
	name  string
	sent  []byte
	reads bool // what was sent is read before
	wrote bool // and something is being written, which nobody takes
	whole bool // the body was sent to its end
}{
	{name: "before the body", sent: start(1, true)},
	{name: "in the body", sent: slices.Concat(start(1, true), stdin(1, "half")), reads: true},
	{name: "with unread input", sent: slices.Concat(start(1, true), stdin(1, "half"))},
	{name: "with more unread input than is buffered", sent: slices.Concat(start(1, true), stdin(1, strings.Repeat("x", 300000)))},
	{name: "after the body", sent: post(1, true, "body"), reads: true, whole: true},
	{name: "with a whole body unread", sent: post(1, true, "body"), whole: true},
	{name: "while writing", sent: start(1, true), wrote: true},
}

// A31, A32, F3, F5: ABORT_REQUEST reaches a Handler at every stage. Its reads and writes fail, and the request ends when
// it returns, not before.
func TestA31A32AbortSync(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 1)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
				w := a.dial(t)
				w.send(stage.sent)
				h := receive(t, requests)
				if stage.reads {
					readPiece(t, h.r)
				}
				written := make(chan error, 1)
				if stage.wrote {
					go func() { written <- writeForEver(h.w) }()
				}
				w.send(abort(1), abort(1))
				<-h.r.Context().Done()
				if cause := context.Cause(h.r.Context()); !errors.Is(cause, fastcgi.ErrAborted) || !h.r.Aborted() {
					t.Errorf("the cause is %v", cause)
				}
				if _, err := h.r.Read(make([]byte, 1)); !errors.Is(err, fastcgi.ErrAborted) && !(stage.whole && errors.Is(err, io.EOF)) {
					t.Errorf("Read returned %v", err)
				}
				if stage.wrote {
					if err := receive(t, written); !errors.Is(err, fastcgi.ErrAborted) {
						t.Errorf("a Write that waited returned %v", err)
					}
				}
				for _, to := range []io.Writer{h.w, h.w.Stderr()} {
					if _, err := to.Write([]byte("late")); !errors.Is(err, fastcgi.ErrAborted) {
						t.Errorf("Write returned %v", err)
					}
				}
				if err := h.w.Flush(); !errors.Is(err, fastcgi.ErrAborted) {
					t.Errorf("Flush returned %v", err)
				}
				w.send(stdin(1, "more"), stdinEnd(1))
				w.manage(question())
				if len(w.ended[1]) > 0 {
					t.Error("the request ended before its handler returned")
				}
				h.finish()
				if got := w.answer(1); strings.Contains(got.stdout.String(), "late") || got.end.Status != 0 {
					t.Errorf("the answer is %+v", got)
				}
				w.send(abort(1))
				w.manage(question())
				if n := a.Stats().Aborted; n != 1 {
					t.Errorf("%d aborted requests were counted", n)
				}
			})
		})
	}
}

// readPiece reads once.
func readPiece(t *testing.T, r io.Reader) {
	t.Helper()
	if _, err := r.Read(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
}

// writeForEver writes until it fails.
func writeForEver(w io.Writer) error {
	chunk := bytes.Repeat([]byte("x"), 8192)
	for {
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
}

// A33, F3: the loss of the connection reaches a Handler at every stage.
func TestA33F3DisconnectSync(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 1)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
				w := a.dial(t)
				w.send(stage.sent)
				h := receive(t, requests)
				if stage.reads {
					readPiece(t, h.r)
				}
				w.Close()
				<-h.r.Context().Done()
				if cause := context.Cause(h.r.Context()); !errors.Is(cause, fastcgi.ErrDisconnected) || !h.r.Aborted() {
					t.Errorf("the cause is %v", cause)
				}
				if _, err := io.Copy(io.Discard, h.r); stage.whole == (err != nil) {
					t.Errorf("reading the rest returned %v", err)
				}
				if err := writeForEver(h.w); !errors.Is(err, fastcgi.ErrDisconnected) {
					t.Errorf("Write returned %v", err)
				}
				h.finish()
				eventually(t, "the connection is gone", func() bool { return a.Stats().OpenConns == 0 })
				if n := a.Stats().Aborted; n != 1 {
					t.Errorf("%d aborted requests were counted", n)
				}
			})
		})
	}
}

// An abortReport is what OnAbort's callback was told.
type abortReport struct {
	ex    fastcgi.Exchange
	cause error
}

// A31, A33: both reach an AsyncHandler at every stage, once.
func TestA31A33CancelAsync(t *testing.T) {
	for _, way := range []struct {
		name  string
		do    func(*app, *web)
		cause error
	}{
		{"abort", func(_ *app, w *web) { w.send(abort(1), abort(1)) }, fastcgi.ErrAborted},
		{"disconnect", func(_ *app, w *web) { w.Close() }, fastcgi.ErrDisconnected},
		{"close", func(a *app, _ *web) { a.Close() }, fastcgi.ErrServerClosed},
	} {
		for _, stage := range stages {
			t.Run(way.name+"/"+stage.name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					started := make(chan struct{}, 1)
					aborts := make(chan abortReport, 10)
					a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						ex.OnAbort(func(cause error) { aborts <- abortReport{ex, cause} })
						if stage.reads {
							ex.OnBody(func([]byte, bool) {})
						}
						if stage.wrote {
							go writeForEver(ex)
						}
						started <- struct{}{}
					})})
					w := a.dial(t)
					w.send(stage.sent)
					receive(t, started)
					way.do(a, w)
					report := receive(t, aborts)
					ex := report.ex
					if !errors.Is(report.cause, way.cause) || !ex.Aborted() {
						t.Errorf("the cause is %v", report.cause)
					}
					if cause := context.Cause(ex.Context()); !errors.Is(cause, way.cause) {
						t.Errorf("the context's cause is %v", cause)
					}
					late := make(chan error, 1)
					ex.OnAbort(func(cause error) { late <- cause })
					if err := receive(t, late); !errors.Is(err, way.cause) {
						t.Errorf("a callback that was registered late was told %v", err)
					}
					if err := ex.Finish(0); err != nil {
						t.Error(err)
					}
					if len(aborts) > 0 {
						t.Error("OnAbort was called again")
					}
					if way.name == "abort" {
						w.answer(1)
						w.manage(question())
					}
				})
			})
		}
	}
}

// A31: a request that is aborted before its parameters are complete is answered without its handler.
func TestA31AbortInParams(t *testing.T) {
	eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
		a := p.serve(t, srv)
		w := a.dial(t)
		w.send(begin(1, fastcgi.RoleResponder, true), params(1, "A", "1"), abort(1), abort(1))
		got := w.answer(1)
		if got.records.String() != "E" || got.end.Status != 0 {
			t.Errorf("the answer is %s, %+v", got.records.String(), got.end)
		}
		w.send(params(1, "B", "2"), paramsEnd(1), stdinEnd(1))
		w.ask(1, "C", "3").expect(t, "C=3\n\n")
		if n := a.Stats().Aborted; n != 1 {
			t.Errorf("%d aborted requests were counted", n)
		}
	})
}

// F3: a web server that goes away before the parameters are complete leaves nothing behind, and no handler runs.
func TestF3DisconnectInParams(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) {
			t.Error("a handler ran")
		})})
		w := a.dial(t)
		w.send(begin(1, fastcgi.RoleResponder, true), params(1, "A", "1"))
		w.Close()
		eventually(t, "the connection is gone", func() bool { s := a.Stats(); return s.Conns == 1 && s.OpenConns == 0 })
	})
}

// A33: every request of the connection is cancelled, and those of others are not.
func TestA33OnlyThatConnection(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 3)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
		other := a.dial(t)
		other.send(get(1, true))
		unharmed := receive(t, requests)
		w := a.dial(t)
		w.send(start(1, true), start(2, true))
		lost := []*held{receive(t, requests), receive(t, requests)}
		w.Close()
		for _, h := range lost {
			<-h.r.Context().Done()
			h.finish()
		}
		if unharmed.r.Aborted() {
			t.Error("a request of another connection was cancelled")
		}
		unharmed.finish()
		other.answer(1)
	})
}

// F2: a web server that closes its sending half gets its answer, though the handler is told.
func TestF2HalfClosed(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
		w := a.dial(t)
		w.send(post(1, true, "body"))
		w.Conn.(interface{ CloseWrite() error }).CloseWrite()
		h := receive(t, requests)
		<-h.r.Context().Done()
		body, err := io.ReadAll(h.r)
		if err != nil {
			t.Error(err)
		}
		h.w.Write(body)
		h.finish()
		w.answer(1).expect(t, "body")
		w.expectEOF()
	})
}

// F2: so does a filter whose input was cut short, which could otherwise not begin to answer.
func TestF2HalfClosedFilter(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		w := p.serve(t, &fastcgi.Server{Filter: holding(requests)}).dial(t)
		w.send(begin(1, fastcgi.RoleFilter, true), paramsEnd(1), stdin(1, "half"))
		h := receive(t, requests)
		written := make(chan error, 1)
		go func() {
			_, err := h.w.Write(make([]byte, 200000))
			written <- err
		}()
		w.Conn.(interface{ CloseWrite() error }).CloseWrite()
		for w.open[1].stdout.Len() < 100000 {
			if err := w.read(); err != nil {
				t.Fatal(err)
			}
		}
		if err := receive(t, written); err != nil {
			t.Error(err)
		}
		h.finish()
		w.answer(1)
		w.expectEOF()
	})
}

// F3: a lone request whose input is not read has its connection paused. That the web server goes away is seen all the
// same.
func TestF3DisconnectWhilePaused(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		for _, h := range holders {
			requests := make(chan *held, 1)
			a := p.serve(t, h.make(requests))
			w := a.dial(t)
			// No more than the kernel takes: what does not fit keeps the peer's end from arriving.
			w.send(start(1, false), stdin(1, strings.Repeat("x", 150000)))
			h := receive(t, requests)
			eventually(t, "reading is paused", func() bool { return a.Stats().BytesIn > 64<<10 })
			w.Close()
			eventually(t, "the request is cancelled", func() bool { return a.Stats().Aborted == 1 })
			h.finish()
			eventually(t, "the connection is gone", func() bool { return a.Stats().OpenConns == 0 })
		}
	})
}

// BaseContext: contexts are derived from it, and end with it.
func TestBaseContext(t *testing.T) {
	type key struct{}
	base, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
	requests := make(chan *held, 1)
	w := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests), BaseContext: base}).dial(t)
	w.send(get(1, true))
	h := receive(t, requests)
	ctx := h.r.Context()
	if ctx.Value(key{}) != "value" || ctx.Err() != nil {
		t.Errorf("the context has %v, %v", ctx.Value(key{}), ctx.Err())
	}
	cancel(errTest)
	<-ctx.Done()
	if cause := context.Cause(ctx); cause != errTest {
		t.Errorf("the cause is %v", cause)
	}
	h.finish()
	w.answer(1)
}

// A context ends with its request, and so does what else a handler left behind.
func TestAfterTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		w := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(start(1, true))
		h := <-requests
		ctx := h.r.Context()
		reading := make(chan error, 1)
		go func() {
			_, err := h.r.Read(make([]byte, 1))
			reading <- err
		}()
		synctest.Wait()
		h.finish()
		w.answer(1)
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			t.Errorf("the cause is %v", context.Cause(ctx))
		}
		if err := <-reading; !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("a Read that waited returned %v", err)
		}
		if _, err := h.w.Write([]byte("late")); !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("Write returned %v", err)
		}
		if err := h.w.Flush(); !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("Flush returned %v", err)
		}
		if cause := context.Cause(h.r.Context()); !errors.Is(cause, fastcgi.ErrFinished) || !h.r.Aborted() {
			t.Errorf("a context asked for late has the cause %v", cause)
		}
	})
}

// A33: each request is cancelled that a web server has sent before it closed its side of the connection, though none of them is
// read to its end.
func TestA33CloseBehindUnreadRequests(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		cancelled := make(chan uint16)
		wait := fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
			<-r.Context().Done()
			cancelled <- r.ID
		})
		w := p.serve(t, &fastcgi.Server{StdinBuffer: 4 << 10, SpoolLimit: -1, Handler: wait}).dial(t)
		body := strings.Repeat("x", 40000)
		w.send(post(1, true, body), post(2, true, body))
		w.Conn.(interface{ CloseWrite() error }).CloseWrite() // so that the first can be answered
		if first, second := receive(t, cancelled), receive(t, cancelled); first+second != 1+2 {
			t.Errorf("requests %d and %d were cancelled", first, second)
		}
	})
}
