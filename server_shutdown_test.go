package fastcgi_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// F13: Shutdown lets requests finish, whatever their kind, closes what is idle, and returns when all has ended.
func TestF13Shutdown(t *testing.T) {
	eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
		a := p.serve(t, srv)
		idle, w := a.dial(t), a.dial(t)
		idle.manage(question())
		w.send(get(1, true))
		h := receive(t, requests)
		done := make(chan error, 1)
		go func() { done <- a.Shutdown(t.Context()) }()
		eventually(t, "nothing is accepted any more", func() bool {
			conn, err := a.connect()
			if err == nil {
				conn.Close()
			}
			return err != nil
		})
		if p.network != "pipe" { // which cannot be closed by halves
			idle.expectEOF()
		}
		idle.Close()
		select {
		case err := <-done:
			t.Fatalf("Shutdown returned %v with a request at work", err)
		default:
		}
		if h.r != nil && h.r.Aborted() {
			t.Error("the request was cancelled")
		}
		io.WriteString(h.w, "in time")
		h.finish()
		w.answer(1).expect(t, "in time")
		w.expectEOF()
		w.Close()
		if err := receive(t, done); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}

// F13: what is begun on a shared connection while its siblings finish is refused, and they are unharmed.
func TestF13RefusesNewRequests(t *testing.T) {
	eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
		srv.MaxConcurrency = 1
		a := p.serve(t, srv)
		w := a.dial(t)
		w.send(get(1, true), get(2, true))
		first := receive(t, requests)
		w.manage(question())
		done := make(chan error, 1)
		go func() { done <- a.Shutdown(t.Context()) }()
		eventually(t, "new requests are refused", func() bool {
			w.send(begin(9, fastcgi.RoleResponder, true), abort(9))
			return w.answer(9).end.Status == protocol.StatusOverloaded
		})
		first.finish()
		w.answer(1).expectUnanswered(t)
		receive(t, requests).finish() // it was begun, and waited
		w.answer(2).expectUnanswered(t)
		w.Close()
		if err := receive(t, done); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}

// F13: if its context ends first, Shutdown says so and why; what is at work goes on until Close.
func TestF13ShutdownInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		a := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)})
		w := a.dial(t)
		w.send(get(1, true))
		h := <-requests
		ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errTest)
		defer cancel()
		start := time.Now()
		if err := a.Shutdown(ctx); !errors.Is(err, errTest) || time.Since(start) != 30*time.Second {
			t.Errorf("Shutdown returned %v after %v", err, time.Since(start))
		}
		if h.r.Aborted() {
			t.Error("the request was cancelled")
		}
		a.Close()
		<-h.r.Context().Done()
		if cause := context.Cause(h.r.Context()); !errors.Is(cause, fastcgi.ErrServerClosed) {
			t.Errorf("the cause is %v", cause)
		}
		w.expectClosed()
		// The handler is still there, so a Shutdown would wait for it.
		over, cancelOver := context.WithCancelCause(t.Context())
		cancelOver(errTest)
		if err := a.Shutdown(over); !errors.Is(err, errTest) {
			t.Errorf("Shutdown returned %v", err)
		}
		h.finish()
		if err := a.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}

// F13: Close closes all connections and cancels their requests, at every stage, those that wait included.
func TestF13Close(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 2)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests), MaxConcurrency: 1})
				w := a.dial(t)
				w.send(stage.sent)
				h := receive(t, requests)
				waiting := a.dial(t)
				waiting.send(get(1, true), begin(2, fastcgi.RoleResponder, true))
				waiting.manage(question())
				written := make(chan error, 1)
				if stage.wrote {
					go func() { written <- writeForEver(h.w) }()
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
				<-h.r.Context().Done()
				if cause := context.Cause(h.r.Context()); !errors.Is(cause, fastcgi.ErrServerClosed) {
					t.Errorf("the cause is %v", cause)
				}
				if stage.wrote {
					if err := receive(t, written); !errors.Is(err, fastcgi.ErrServerClosed) {
						t.Errorf("a Write that waited returned %v", err)
					}
				}
				if _, err := h.w.Write([]byte("late")); !errors.Is(err, fastcgi.ErrServerClosed) {
					t.Errorf("Write returned %v", err)
				}
				if _, err := h.r.Read(make([]byte, 1)); !errors.Is(err, fastcgi.ErrServerClosed) && !(stage.whole && errors.Is(err, io.EOF)) {
					t.Errorf("Read returned %v", err)
				}
				w.expectClosed()
				waiting.expectClosed()
				h.finish()
				none(t, requests)
				for range 2 {
					if err := a.Close(); err != nil {
						t.Errorf("Close returned %v when called again", err)
					}
				}
			})
		})
	}
}

// Shutdown and Close before Serve: there is nothing to serve any more.
func TestClosedBeforeServe(t *testing.T) {
	for name, end := range map[string]func(*fastcgi.Server) error{
		"Shutdown": func(s *fastcgi.Server) error { return s.Shutdown(t.Context()) },
		"Close":    (*fastcgi.Server).Close,
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				srv := &fastcgi.Server{Handler: hello, Driver: p.driver.name}
				if err := end(srv); err != nil {
					t.Error(err)
				}
				l := p.listen(t)
				if err := srv.Serve(l); !errors.Is(err, fastcgi.ErrServerClosed) {
					t.Errorf("Serve returned %v", err)
				}
				if _, err := (&app{l: l}).connect(); err == nil {
					t.Error("the listener is still open")
				}
			})
		})
	}
}
