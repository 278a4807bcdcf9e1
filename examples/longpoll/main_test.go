package main

import (
	"context"
	"flag"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

func TestMain(m *testing.M) { front.Main(m, main) }

// visitorCount is for trying more of them.
var visitorCount = flag.Int("visitors", 5000, "how many wait, in hundreds")

// Five thousand wait. Some leave, some are cut off, some do not read their answer; all others get it, and nobody has a
// goroutine.
func TestManyVisitors(t *testing.T) {
	const each = 100 // on a line
	visitors, lines := *visitorCount, *visitorCount/each
	for _, driver := range []fastcgi.Driver{fastcgi.DriverAuto, fastcgi.DriverGoroutine} {
		t.Run(string(driver), func(t *testing.T) {
			b := newBoard()
			srv := &fastcgi.Server{AsyncHandler: b, Driver: driver}
			f := front.Serve(t, srv)
			before := runtime.NumGoroutine()
			shared := make([]*front.Line, lines)
			waiting := make([][]*front.Visitor, lines)
			for i := range shared {
				shared[i] = f.Share(t)
				for range each {
					waiting[i] = append(waiting[i], shared[i].Begin(t, "", param("REQUEST_METHOD", "GET"), param("QUERY_STRING", "seen=0")))
				}
			}
			awaitWaiting(b, visitors)
			// One reads each line; the driver may have some for each connection.
			if n := runtime.NumGoroutine() - before; n > 4*lines {
				t.Errorf("%d goroutines for %d visitors", n, visitors)
			}
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			t.Logf("%d visitors wait, %d goroutines more than lines, %d MiB of heap with both ends",
				visitors, runtime.NumGoroutine()-before-lines, memory.HeapAlloc>>20)

			const cut, slow = 0, 1 // lines
			shared[cut].Close()
			shared[slow].Hold()
			left := visitors - each
			for _, on := range waiting[slow+1:] {
				on[0].Abort(t)
				left--
			}
			awaitWaiting(b, left)
			start := time.Now()
			shared[slow+1].Begin(t, "it rains", param("REQUEST_METHOD", "POST"), param("CONTENT_LENGTH", "8")).AwaitEnd(t)
			const news = "Status: 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\n" + `{"number":1,"text":"it rains"}`
			for _, on := range waiting[slow+1:] {
				expect(t, on[1:], news)
			}
			t.Logf("told after %v", time.Since(start))
			shared[slow].Resume()
			expect(t, waiting[slow], news)
			awaitWaiting(b, 0)
		})
	}
}

func param(name, value string) fastcgi.Pair { return fastcgi.Pair{Name: name, Value: value} }

// expect wants an answer for each of the visitors.
func expect(t *testing.T, visitors []*front.Visitor, want string) {
	t.Helper()
	for _, v := range visitors {
		if got := v.AwaitEnd(t); got != want {
			t.Fatalf("the answer is %q", got)
		}
	}
}

// awaitWaiting waits until so many do.
func awaitWaiting(b *board, n int) {
	for {
		b.mu.Lock()
		now := len(b.waiting)
		b.mu.Unlock()
		if now == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// poll starts to wait for news in a bubble of synctest, and returns when that is so.
func poll(t *testing.T, srv *fastcgi.Server, query string) *fastcgitest.Call {
	t.Helper()
	call, err := fastcgitest.Start(t.Context(), srv, fastcgitest.NewRequest("GET", "/?"+query, nil))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return call
}

func wait(t *testing.T, call *fastcgitest.Call) *fastcgitest.Response {
	t.Helper()
	resp, err := call.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// post publishes a text.
func post(t *testing.T, srv *fastcgi.Server, text string) *fastcgitest.Response {
	t.Helper()
	resp, err := fastcgitest.Do(t.Context(), srv, fastcgitest.NewRequest("POST", "/", strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// News comes a moment before the end of somebody's patience, and a moment after.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		code  int
	}{{patience - 1, 200}, {patience + 1, 204}} {
		synctest.Test(t, func(t *testing.T) {
			srv := &fastcgi.Server{AsyncHandler: newBoard()}
			call := poll(t, srv, "")
			time.Sleep(tt.after)
			post(t, srv, "at last")
			if got := wait(t, call).StatusCode; got != tt.code {
				t.Errorf("after %v the status is %d, not %d", tt.after, got, tt.code)
			}
		})
	}
}

// Who has seen something else than the latest news gets that at once.
func TestSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &fastcgi.Server{AsyncHandler: newBoard()}
		post(t, srv, "first")
		post(t, srv, `"second"`)
		for query, code := range map[string]int{"seen=1": 200, "seen=2": 204, "seen=3": 200, "": 200, "seen=x": 200, "seen=%zz": 200} {
			resp := wait(t, poll(t, srv, query))
			if resp.StatusCode != code || code == 200 && string(resp.Body) != `{"number":2,"text":"\"second\""}` {
				t.Errorf("%s is answered with %s", query, resp.Stdout)
			}
		}
	})
}

func TestLargestNews(t *testing.T) {
	for size, code := range map[int]int{16<<10 - 1: 204, 16 << 10: 204, 16<<10 + 1: 413} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard()
			srv := &fastcgi.Server{AsyncHandler: b}
			if got := post(t, srv, strings.Repeat("x", size)).StatusCode; got != code || len(b.text) != size*b.number || (code == 204) != (b.number == 1) {
				t.Errorf("%d bytes are answered with %d, and %d are the news", size, got, len(b.text))
			}
		})
	}
}

// A shutdown does not wait for news (W19).
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &fastcgi.Server{AsyncHandler: newBoard()}
		call := poll(t, srv, "")
		start := time.Now()
		answered := make(chan *fastcgitest.Response, 1)
		go func() {
			resp, _ := call.Wait() // what there was is in resp in any case
			answered <- resp
		}()
		if err := srv.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("the shutdown took %v", took)
		}
		if got := (<-answered).StatusCode; got != 204 {
			t.Errorf("the status is %d", got)
		}
	})
}

func TestProgram(t *testing.T) {
	p := front.Start(t)
	visitor := p.Share(t).Begin(t, "", param("REQUEST_METHOD", "GET"))
	if got := p.Share(t).Begin(t, "1", param("REQUEST_METHOD", "POST")).AwaitEnd(t); !strings.HasPrefix(got, "Status: 204 ") {
		t.Errorf("the answer is %q", got)
	}
	// Whether it was there before that or came after.
	if got := visitor.AwaitEnd(t); !strings.Contains(got, `"text":"1"`) {
		t.Errorf("the news is %q", got)
	}
	p.Stop(t)
}
