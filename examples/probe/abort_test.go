package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// neverEnding are tasks that only an abort ends.
var neverEnding = []string{
	"do=sleep&ms=4000000000",
	"do=stream&n=9000000000000000000&ms=4000000000",
	"do=stream&n=9000000000000000000&ms=0",
	"do=events&ms=4000000000",
	"do=events",
	"do=bytes&n=9000000000000000000",
	"do=echo",   // its body does not end
	"do=digest", // neither does this
}

// await waits until n requests have a handler.
func await(srv *fastcgi.Server, n int) {
	for srv.Stats().ActiveRequests != n {
		time.Sleep(time.Millisecond)
	}
}

// A31: after ABORT_REQUEST there is END_REQUEST, and do=aborts counts the request
// by then, once, be its handler at work already or not.
func TestAbort(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, srv *fastcgi.Server, f *front.Front) {
		counted := 0
		for _, running := range []int{0, 1} {
			for _, query := range neverEnding {
				await(srv, 0)
				c := f.Dial(t)
				c.Begin(t, query)
				if running > 0 {
					await(srv, running)
				}
				c.Abort(t)
				if _, end := c.AwaitEnd(t); end.Status != protocol.StatusRequestComplete {
					t.Errorf("%s ends with %+v", query, end)
				}
				counted++
				if got := aborts(t, f); got != counted {
					t.Errorf("after %s, do=aborts says %d, not %d", query, got, counted)
				}
			}
		}
	})
}

// aborts asks for the count.
func aborts(t *testing.T, f *front.Front) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(f.Get(t, "do=aborts").Body(), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A33, F3: so it is when the web server is gone.
func TestDisconnect(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, srv *fastcgi.Server, f *front.Front) {
		for i, query := range neverEnding {
			c := f.Dial(t)
			c.Begin(t, query)
			await(srv, 1)
			c.Close()
			await(srv, 0)
			if got := aborts(t, f); got != i+1 {
				t.Errorf("after %s, do=aborts says %d, not %d", query, got, i+1)
			}
			await(srv, 0)
		}
	})
}

// F2: a web server that closes its half of the connection behind the request is
// answered.
func TestHalfClosed(t *testing.T) {
	everyWay(t, func(t *testing.T, mode string, _ *fastcgi.Server, f *front.Front) {
		for query, want := range map[string]string{
			"do=ignore":         "ignored\n",
			"do=echo":           long,
			"do=digest":         sum(long),
			"do=bytes&n=500000": mod251(500000),
		} {
			c := f.Dial(t)
			c.Begin(t, query)
			sent := c.SendBody(t, long)
			stdout, end := c.AwaitEnd(t)
			if err := <-sent; err != nil {
				t.Errorf("%s: sending: %v", query, err)
			}
			body := front.Answer{Stdout: stdout}.Body()
			if mode == "async" && query == "do=echo" && end.AppStatus == 1 {
				// It may be cut short, but then it has to say so.
				want = want[:min(len(want), len(body))]
				end.AppStatus = 0
			}
			if body != want || end != (protocol.EndRequest{}) {
				t.Errorf("%s is answered with %d bytes, %+v", query, len(body), end)
			}
		}
	})
}
