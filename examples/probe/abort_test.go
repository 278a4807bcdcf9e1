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
				if end := c.AwaitEnd(t); end != (protocol.EndRequest{}) {
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
