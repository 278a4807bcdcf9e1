package fastcgi_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// A handle of a request that is over does nothing, and least of all to the request that has its place now: what leaked
// between requests in others (CVE-2011-2766 and its like) must not here.
func TestStaleExchange(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		exchanges := make(chan fastcgi.Exchange, 1)
		w := p.serve(t, async(exchanges)).dial(t)
		w.send(get(1, true, "SECRET", "first"))
		stale := receive(t, exchanges)
		params := stale.Params()
		io.WriteString(stale, "the first")
		stale.Finish(0)
		w.answer(1).expect(t, "the first")

		w.send(start(1, true, "OPEN", "second"))
		ex := receive(t, exchanges)
		never := func([]byte, bool) { t.Error("a callback of the first request was called with the second's body") }
		stale.OnBody(never)
		stale.OnData(never)
		stale.OnAbort(func(error) { t.Error("OnAbort of the first request was called") })
		stale.OnDrain(func() { t.Error("OnDrain of the first request was called") })
		stale.ReadAll(100, func([]byte, error) { t.Error("ReadAll of the first request has read") })
		stale.PauseBody()
		stale.SetAppStatus(99)
		for what, err := range map[string]error{
			"Write":        second(stale.Write([]byte("leak"))),
			"Stderr":       second(stale.Stderr().Write([]byte("leak"))),
			"Flush":        stale.Flush(),
			"Finish":       stale.Finish(1),
			"SendResponse": fastcgi.SendResponse(stale, 200, "", strings.NewReader("leak")),
		} {
			if !errors.Is(err, fastcgi.ErrFinished) {
				t.Errorf("%s returned %v", what, err)
			}
		}
		if stale.ID() != 0 || stale.Role() != 0 || stale.Params().Len() != 0 || !stale.Aborted() {
			t.Errorf("it still has %d, %v, %v, %v", stale.ID(), stale.Role(), stale.Params().Map(), stale.Aborted())
		}
		if cause := context.Cause(stale.Context()); !errors.Is(cause, fastcgi.ErrFinished) {
			t.Errorf("its context has the cause %v", cause)
		}
		if params.Get("SECRET") != "first" || params.Get("OPEN") != "" || ex.Params().Get("SECRET") != "" {
			t.Errorf("the parameters are %v and %v", params.Map(), ex.Params().Map())
		}

		ex.ReadAll(100, func(body []byte, err error) {
			ex.Write(body)
			ex.Finish(0)
		})
		w.send(stdin(1, "the second"), stdinEnd(1))
		w.answer(1).expect(t, "the second")
	})
}

// The same for what a Handler was given.
func TestStaleRequest(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		w := p.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(get(1, true, "SECRET", "first"))
		stale := receive(t, requests)
		stale.finish()
		w.answer(1)

		w.send(start(1, true), stdin(1, "body"))
		h := receive(t, requests)
		stale.w.SetAppStatus(99)
		for what, err := range map[string]error{
			"Read":   second(stale.r.Read(make([]byte, 10))),
			"Write":  second(stale.w.Write([]byte("leak"))),
			"Stderr": second(stale.w.Stderr().Write([]byte("leak"))),
			"Flush":  stale.w.Flush(),
		} {
			if !errors.Is(err, fastcgi.ErrFinished) {
				t.Errorf("%s returned %v", what, err)
			}
		}
		if !stale.r.Aborted() || stale.r.Params.Get("SECRET") != "first" {
			t.Errorf("aborted %v, parameters %v", stale.r.Aborted(), stale.r.Params.Map())
		}
		w.send(stdinEnd(1))
		io.Copy(h.w, h.r)
		h.finish()
		w.answer(1).expect(t, "body")
	})
}

// Nothing leaks either while goroutines that have lost their request go on using it.
func TestStaleUnderLoad(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		var strays sync.WaitGroup
		started := make(chan struct{}, 2)
		var stop atomic.Bool
		srv := &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			n := ex.Params().Get("N")
			ex.ReadAll(100, func(body []byte, err error) {
				io.WriteString(ex, n+" "+string(body))
				ex.Finish(0)
				if n == "0" || n == "1" {
					strays.Go(func() { stray(t, ex, &stop) })
					started <- struct{}{}
				}
			})
		})}
		w := p.serve(t, srv).dial(t)
		for n := range 200 {
			text := strconv.Itoa(n)
			w.send(post(1, true, "body", "N", text))
			w.answer(1).expect(t, text+" body")
		}
		receive(t, started)
		receive(t, started)
		stop.Store(true)
		strays.Wait()
	})
}

// stray goes on using a request that is over.
func stray(t *testing.T, ex fastcgi.Exchange, stop *atomic.Bool) {
	for !stop.Load() {
		ex.PauseBody()
		ex.SetAppStatus(99)
		ex.OnBody(func([]byte, bool) { t.Error("OnBody was called") })
		ex.OnAbort(func(error) { t.Error("OnAbort was called") })
		ex.Flush()
		if _, err := io.WriteString(ex, "leak"); !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("Write returned %v", err)
		}
		if err := ex.Finish(99); !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("Finish returned %v", err)
		}
		time.Sleep(10 * time.Microsecond) // others run as well
	}
}
