package fastcgi_test

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// Settings that cannot work are an error of Serve, which closes its listener all the same.
func TestInvalidSettings(t *testing.T) {
	asyncHello := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { ex.Finish(0) })
	many := map[string]func() string{}
	for n := range 62 {
		many["V"+strconv.Itoa(n)] = func() string { return "" }
	}
	for _, test := range []struct {
		name string
		srv  *fastcgi.Server
		says string
	}{
		{"no handler", &fastcgi.Server{}, "no handler"},
		{"two for Responder", &fastcgi.Server{Handler: hello, AsyncHandler: asyncHello}, "RESPONDER"},
		{"two for Authorizer", &fastcgi.Server{Authorizer: fastcgi.AuthorizerFunc(allow), AsyncAuthorizer: asyncHello}, "AUTHORIZER"},
		{"two for Filter", &fastcgi.Server{Filter: hello, AsyncFilter: asyncHello}, "FILTER"},
		{"StdinBuffer", &fastcgi.Server{Handler: hello, StdinBuffer: -1}, "StdinBuffer is below zero, and input needs a limit: leave it zero"},
		{"Values", &fastcgi.Server{Handler: hello, Values: many}, "61"},
		{"driver", &fastcgi.Server{Handler: hello, Driver: "fast"}, `"fast"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if err := test.srv.Serve(l); err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "fastcgi: ") {
				t.Errorf("Serve returned %v", err)
			}
			if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
				t.Error("the listener is still open")
			}
			if err := test.srv.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if len(many) != 62 {
		t.Errorf("there are %d values, one more than the limit", len(many))
	}
}

// Below zero there is no limit: more requests run at once, on one connection, than by default.
func TestNoLimits(t *testing.T) {
	const many = 300
	requests := make(chan *held, many)
	a := inBubble.serve(t, &fastcgi.Server{
		Handler: holding(requests), MaxConcurrency: -1, MaxConns: -1, MaxRequestsPerConn: -1, MemoryLimit: -1,
	})
	w := a.dial(t)
	for id := range uint16(many) {
		w.send(get(id+1, true))
	}
	for range many {
		receive(t, requests).finish()
	}
	for id := range uint16(many) {
		w.answer(id + 1)
	}
}

// Values: as many as the limit says are told.
func TestMostValues(t *testing.T) {
	values := map[string]func() string{}
	for n := range 61 {
		values["V"+strconv.Itoa(n)] = func() string { return strconv.Itoa(n) }
	}
	w := inBubble.serve(t, &fastcgi.Server{Handler: hello, Values: values}).dial(t)
	if got := w.manage(question("V0", "V60")); got != result("V0", "0", "V60", "60") {
		t.Errorf("got %q", got)
	}
}

// The loop driver says which listeners it cannot serve.
func TestLoopDriverRefusesListener(t *testing.T) {
	srv := &fastcgi.Server{Handler: hello, Driver: fastcgi.DriverLoop}
	if err := srv.Serve(inBubble.listen(t)); err == nil || !strings.Contains(err.Error(), "pipeListener") {
		t.Errorf("Serve returned %v", err)
	}
}

// A Server serves several listeners at once, and the requests of all of them count together.
func TestServeTwice(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 2)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests), MaxConcurrency: 1})
		b := &app{Server: a.Server, t: t, network: p.network, l: p.listen(t), served: make(chan error, 1)}
		go func() { b.served <- a.Serve(b.l) }()
		t.Cleanup(func() {
			if err := receive(t, b.served); !errors.Is(err, fastcgi.ErrServerClosed) {
				t.Errorf("Serve returned %v", err)
			}
		})
		t.Cleanup(func() { a.Close() })
		one, two := a.dial(t), b.dial(t)
		one.send(get(1, true))
		h := receive(t, requests)
		two.send(get(1, true))
		two.manage(question())
		none(t, requests)
		h.finish()
		one.answer(1)
		receive(t, requests).finish()
		two.answer(1)
		if s := a.Stats(); s.Conns != 2 || s.OpenConns != 2 || s.Requests != 2 {
			t.Errorf("the counters are %+v", s)
		}
	})
}

// ServiceActions is called about twice a second while the server serves, never twice at once, and not afterwards.
func TestServiceActions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, running atomic.Int32
		srv := &fastcgi.Server{Handler: hello, ServiceActions: func() {
			if running.Add(1) > 1 {
				t.Error("two calls at once")
			}
			runtime.Gosched()
			running.Add(-1)
			calls.Add(1)
		}}
		done := make(chan error, 2)
		listeners := []net.Listener{inBubble.listen(t), inBubble.listen(t)}
		for _, l := range listeners {
			go func() { done <- srv.Serve(l) }()
		}
		sleep(10*time.Second + 300*time.Millisecond)
		if n := calls.Load(); n < 18 || n > 42 {
			t.Errorf("it was called %d times in ten seconds, for two listeners", n)
		}
		srv.Close()
		<-done
		<-done
		before := calls.Load()
		sleep(10 * time.Second)
		if n := calls.Load(); n != before {
			t.Errorf("it was called %d times after the end", n-before)
		}
	})
}

// Stats counts what it says.
func TestStats(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
		if s := a.Stats(); s != (fastcgi.Stats{}) {
			t.Errorf("at first the counters are %+v", s)
		}
		w := a.dial(t)
		request := post(1, true, "body", "A", "1")
		w.send(request)
		h := receive(t, requests)
		eventually(t, "the request is there", func() bool { return a.Stats().BytesIn == int64(len(request)) })
		params := len(block("A", "1", "CONTENT_LENGTH", "4"))
		want := fastcgi.Stats{
			OpenConns: 1, ActiveRequests: 1, Conns: 1, Requests: 1,
			BytesIn: int64(len(request)), BufferedBytes: int64(params + 4),
		}
		if s := a.Stats(); s != want {
			t.Errorf("during a request the counters are %+v, want %+v", s, want)
		}
		io.WriteString(h.w, "hello")
		h.finish()
		w.answer(1)
		want.ActiveRequests, want.BufferedBytes = 0, 0
		want.BytesOut = 8 + 5 + 8 + 16 // STDOUT, its end, END_REQUEST
		eventually(t, "the counters are as expected", func() bool { return a.Stats() == want })
		w.Close()
		want.OpenConns = 0
		eventually(t, "the connection is gone", func() bool { return a.Stats() == want })
	})
}

func TestListenAndServe(t *testing.T) {
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { io.WriteString(w, "here") })}
	if err := srv.ListenAndServe("nowhere:"); err == nil {
		t.Error("an address without a port was listened on")
	}
	path := filepath.Join(t.TempDir(), "socket")
	served := make(chan error, 1)
	go func() { served <- srv.ListenAndServe("unix:" + path) }()
	var conn net.Conn
	eventually(t, "the socket answers", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", path)
		return err == nil
	})
	w := newWeb(t, conn)
	w.ask(1).expect(t, "here")
	conn.Close()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != fastcgi.ErrServerClosed {
		t.Errorf("ListenAndServe returned %v", err)
	}
}
