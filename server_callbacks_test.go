package fastcgi_test

import (
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// An alone notices when two things happen at once that should not.
type alone struct {
	t    *testing.T
	busy atomic.Bool
}

func (a *alone) do(f func()) {
	if !a.busy.CompareAndSwap(false, true) {
		a.t.Error("two callbacks run at once")
	}
	runtime.Gosched()
	f()
	a.busy.Store(false)
}

// Callbacks of an exchange, and what is posted to its loop, never run concurrently, whoever causes them.
func TestCallbacksAreAlone(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			busy := &alone{t: t}
			busy.do(func() { answerBusily(ex, busy) })
		})})
		var webs sync.WaitGroup
		for range 4 {
			w := a.dial(t)
			webs.Go(func() {
				for id := range uint16(40) {
					conn := w.Conn // of this goroutine alone
					conn.Write(start(id+1, true))
					for range 5 {
						conn.Write(stdin(id+1, strings.Repeat("x", 20000)))
					}
					if id%4 == 3 {
						conn.Write(abort(id + 1))
					}
					conn.Write(stdinEnd(id + 1))
				}
			})
			webs.Go(func() { io.Copy(io.Discard, w.Conn) })
		}
		eventually(t, "all requests have ended", func() bool {
			s := a.Stats()
			return s.Requests == 160 && s.ActiveRequests == 0
		})
		a.Close()
		webs.Wait()
	})
}

// answerBusily uses everything there is to use, from all sides.
func answerBusily(ex fastcgi.Exchange, busy *alone) {
	end := func() { ex.Finish(0) }
	ex.OnAbort(func(error) { busy.do(end) })
	ex.OnDrain(func() { busy.do(func() { ex.Write(make([]byte, 30000)) }) })
	ex.OnBody(func(chunk []byte, last bool) {
		busy.do(func() {
			ex.Write(chunk)
			ex.PauseBody()
			go ex.ResumeBody()
			if last {
				ex.Loop().AfterFunc(time.Millisecond, func() { busy.do(end) })
			}
		})
	})
	go func() {
		for range 10 {
			ex.Loop().Post(func() { busy.do(func() { ex.Write(make([]byte, 5000)) }) })
			ex.Flush()
		}
	}()
}

// A Loop runs what is posted in its order, after Post has returned, one at a time.
func TestLoopPost(t *testing.T) {
	loops := func(t *testing.T, p place, test func(t *testing.T, l fastcgi.Loop)) {
		exchanges := make(chan fastcgi.Exchange, 1)
		a := p.serve(t, async(exchanges))
		t.Run("server", func(t *testing.T) { test(t, a.Loop()) })
		t.Run("exchange", func(t *testing.T) {
			w := a.dial(t)
			w.send(get(1, true))
			ex := receive(t, exchanges)
			test(t, ex.Loop())
			ex.Finish(0)
			w.answer(1)
		})
	}
	everywhere(t, func(t *testing.T, p place) {
		loops(t, p, func(t *testing.T, l fastcgi.Loop) {
			var order []int
			done := make(chan []int)
			busy := &alone{t: t}
			for n := range 100 {
				l.Post(func() { busy.do(func() { order = append(order, n) }) })
			}
			l.Post(func() {
				l.Post(func() { done <- order }) // from the loop itself
			})
			for i, n := range receive(t, done) {
				if i != n {
					t.Fatalf("the order is %v", order)
				}
			}
		})
	})
}

// AfterFunc runs its function when the time has come, or not if it was stopped before.
func TestLoopAfterFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inBubble.serve(t, &fastcgi.Server{Handler: hello})
		var ran []string
		stops := map[string]func() bool{}
		for _, d := range []time.Duration{3, 1, 2} {
			name := strconv.Itoa(int(d))
			stops[name] = a.Loop().AfterFunc(d*time.Second, func() { ran = append(ran, name) })
		}
		sleep(time.Second)
		if stops["1"]() {
			t.Error("what has run was stopped")
		}
		if !stops["2"]() || stops["2"]() {
			t.Error("what has not run was not stopped, or twice")
		}
		sleep(time.Minute)
		if got := strings.Join(ran, " "); got != "1 3" {
			t.Errorf("%s have run", got)
		}
	})
}

// Thousands of requests may wait in an AsyncHandler, and none holds a goroutine.
func TestAsyncHoldsNoGoroutine(t *testing.T) {
	const conns, each = 100, 100
	onUnix(t, func(t *testing.T, p place) {
		exchanges := make(chan fastcgi.Exchange, conns*each)
		a := p.serve(t, async(exchanges))
		before := runtime.NumGoroutine()
		var webs []*web
		for range conns {
			w := a.dial(t)
			for id := range uint16(each) {
				w.send(get(id+1, true))
			}
			webs = append(webs, w)
		}
		eventually(t, "all requests wait", func() bool { return len(exchanges) == conns*each })
		most := before + 2*runtime.GOMAXPROCS(0) // the loops, and what ends with the other tests
		if p.driver.name == fastcgi.DriverGoroutine {
			most += conns
		}
		eventually(t, "no goroutine waits with them", func() bool { return runtime.NumGoroutine() <= most })
		for range conns * each {
			ex := <-exchanges
			io.WriteString(ex, strconv.Itoa(rand.IntN(10)))
			ex.Finish(0)
		}
		for _, w := range webs {
			for id := range uint16(each) {
				w.answer(id + 1)
			}
		}
	})
}
