package fastcgi_test

import (
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// holders are servers of either kind whose requests wait for the test.
var holders = []struct {
	name string
	make func(chan<- *held) *fastcgi.Server
}{
	{"sync", func(r chan<- *held) *fastcgi.Server { return &fastcgi.Server{Handler: holding(r)} }},
	{"async", func(r chan<- *held) *fastcgi.Server { return &fastcgi.Server{AsyncHandler: holdingAsync(r)} }},
}

func eachHolder(t *testing.T, test func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server)) {
	everywhere(t, func(t *testing.T, p place) {
		for _, h := range holders {
			t.Run(h.name, func(t *testing.T) {
				requests := make(chan *held, 100)
				test(t, p, requests, h.make(requests))
			})
		}
	})
}

// none fails the test if a request has been started.
func none(t *testing.T, requests chan *held) {
	t.Helper()
	select {
	case <-requests:
		t.Error("a request was started that should wait")
	default:
	}
}

// MaxConcurrency: as many requests run, in the order in which they came, whichever connection they are on.
func TestMaxConcurrency(t *testing.T) {
	for _, limit := range []int{1, 2, 3} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
				srv.MaxConcurrency = limit
				a := p.serve(t, srv)
				const n = 6
				var webs []*web
				for i := range n {
					w := a.dial(t)
					w.send(get(1, true, "N", strconv.Itoa(i)))
					webs = append(webs, w)
					eventually(t, "the request has arrived", func() bool { return a.Stats().Requests == int64(i+1) })
					// The order of arrival is the order of the ends of the parameters; the server's answer shows that it is past it.
					w.manage(question())
				}
				var running []*held
				for done := range n {
					for len(running) < min(limit, n-done) {
						running = append(running, receive(t, requests))
					}
					none(t, requests)
					eventually(t, "as many requests are active", func() bool { return a.Stats().ActiveRequests == len(running) })
					running[0].finish()
					running = running[1:]
					webs[done].answer(1).expectUnanswered(t)
				}
			})
		})
	}
}

// MaxConcurrency 1 is strictly one at a time, whatever comes in on however many connections.
func TestMaxConcurrencyOneIsStrict(t *testing.T) {
	var running, most atomic.Int32
	enter := func() {
		n := running.Add(1)
		most.Store(max(most.Load(), n))
		runtime.Gosched()
		running.Add(-1)
	}
	for name, srv := range map[string]*fastcgi.Server{
		"sync": {Handler: fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) { enter() })},
		"async": {AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			go func() { enter(); ex.Finish(0) }()
		})},
	} {
		t.Run(name, func(t *testing.T) {
			srv.MaxConcurrency = 1
			a := place{drivers[1], "unix"}.serve(t, srv)
			var webs []*web
			for range 8 {
				webs = append(webs, a.dial(t))
			}
			for _, w := range webs {
				for id := range uint16(20) {
					w.send(get(id+1, true))
				}
			}
			for _, w := range webs {
				for id := range uint16(20) {
					w.answer(id + 1).expectUnanswered(t)
				}
			}
			if most.Load() != 1 {
				t.Errorf("%d requests ran at once", most.Load())
			}
		})
	}
}

// MaxConcurrency: those that wait hold no goroutine.
func TestWaitingHoldsNoGoroutine(t *testing.T) {
	eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
		srv.MaxConcurrency = 1
		w := p.serve(t, srv).dial(t)
		w.send(get(1, true))
		first := receive(t, requests)
		w.manage(question())
		before := runtime.NumGoroutine()
		const n = 90
		for id := range uint16(n) {
			w.send(get(id+2, true))
		}
		w.manage(question())
		// Some may be of drivers that are still starting.
		eventually(t, "no goroutine waits", func() bool { return runtime.NumGoroutine() < before+n/2 })
		first.finish()
		for range n {
			receive(t, requests).finish()
		}
		for id := range uint16(n + 1) {
			w.answer(id + 1)
		}
	})
}

// A31: a request that is aborted while it waits ends at once, its handler never runs, and the others move up.
func TestA31AbortWhileWaiting(t *testing.T) {
	eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
		srv.MaxConcurrency = 1
		w := p.serve(t, srv).dial(t)
		w.send(get(1, true), start(2, true), get(3, true))
		first := receive(t, requests)
		w.send(abort(2))
		w.answer(2).expect(t, "")
		first.finish()
		w.answer(1)
		receive(t, requests).finish()
		w.answer(3)
		if !slices.Equal(w.order, []uint16{2, 1, 3}) {
			t.Errorf("the requests ended in the order %v", w.order)
		}
		none(t, requests)
	})
}

// A33: requests that wait on a connection that goes away never run, and the others move up.
func TestA33DisconnectWhileWaiting(t *testing.T) {
	eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
		srv.MaxConcurrency = 1
		a := p.serve(t, srv)
		w, other := a.dial(t), a.dial(t)
		w.send(get(1, true))
		first := receive(t, requests)
		other.send(get(1, true), get(2, true))
		other.manage(question())
		w.send(get(2, true))
		w.manage(question())
		other.Close()
		eventually(t, "the connection is gone", func() bool { return a.Stats().OpenConns == 1 })
		if n := a.Stats().Aborted; n != 2 {
			t.Errorf("%d requests were aborted", n)
		}
		first.finish()
		w.answer(1)
		receive(t, requests).finish()
		w.answer(2)
		none(t, requests)
	})
}

// MaxConns: connections beyond are told OVERLOADED and closed; when there is room again, new ones are served.
func TestMaxConns(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		const limit = 3
		a := p.serve(t, &fastcgi.Server{Handler: hello, MaxConns: limit})
		var webs []*web
		for range limit {
			w := a.dial(t)
			w.ask(1).expect(t, "hello")
			webs = append(webs, w)
		}
		for range 2 {
			over := a.dial(t)
			if got := over.manage(question(protocol.VarMaxConns)); got != result(protocol.VarMaxConns, "3") {
				t.Errorf("got %q", got)
			}
			over.send(get(1, true))
			over.answer(1).expectRefused(t, protocol.StatusOverloaded)
			if p.network != "pipe" { // which cannot be closed by halves
				over.expectEOF()
			}
			over.Close()
		}
		a.log.expect(t, "too many connections")
		if s := a.Stats(); s.RefusedConns != 2 || s.Overloaded != 2 {
			t.Errorf("the counters are %+v", s)
		}
		webs[0].Close()
		eventually(t, "there is room", func() bool { return a.Stats().OpenConns < limit })
		a.dial(t).ask(1).expect(t, "hello")
		webs[1].ask(1).expect(t, "hello")
	})
}

// MaxConns: a connection beyond the limit does not take the place of one within.
func TestMaxConnsOverIsNotCounted(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: hello, MaxConns: 1})
		first := a.dial(t)
		first.ask(1).expect(t, "hello")
		over := a.dial(t) // stays, and says nothing
		over.manage(question())
		first.Close()
		eventually(t, "there is room", func() bool { return a.Stats().OpenConns == 1 })
		a.dial(t).ask(1).expect(t, "hello")
	})
}

// MaxConns: a hundred connections beyond the limit are talked to, further ones are closed at once.
func TestMaxConnsClosesFurtherOnes(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: hello, MaxConns: 1})
		a.dial(t).ask(1).expect(t, "hello")
		for range 100 {
			a.dial(t).manage(question())
		}
		a.dial(t).expectClosed()
		if s := a.Stats(); s.OpenConns != 101 || s.RefusedConns != 101 {
			t.Errorf("the counters are %+v", s)
		}
	})
}

// A35, MaxRequestsPerConn: requests beyond are refused, and the others are unharmed.
func TestA35MaxRequestsPerConn(t *testing.T) {
	for _, limit := range []int{2, 3} {
		eachHolder(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
			srv.MaxRequestsPerConn = limit
			w := p.serve(t, srv).dial(t)
			var running []*held
			for id := range uint16(limit) {
				w.send(get(id+1, true))
				running = append(running, receive(t, requests))
			}
			w.send(get(99, true))
			w.answer(99).expectRefused(t, protocol.StatusOverloaded)
			for id, h := range running {
				h.finish()
				w.answer(uint16(id + 1)).expectUnanswered(t)
			}
			w.send(get(99, true))
			receive(t, requests).finish()
			w.answer(99).expectUnanswered(t)
		})
	}
}

// MaxRequestsPerConn: the default is 100.
func TestA35DefaultMaxRequestsPerConn(t *testing.T) {
	w := inBubble.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
	for id := range uint16(100) {
		w.send(begin(id+1, fastcgi.RoleResponder, true))
	}
	w.send(begin(101, fastcgi.RoleResponder, true))
	w.answer(101).expectRefused(t, protocol.StatusOverloaded)
	for id := range uint16(100) {
		w.send(paramsEnd(id+1), stdinEnd(id+1))
		w.answer(id+1).expect(t, "hello")
	}
}
