package fastcgi_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// The goroutines of handlers wait a while for the next request, and no longer than there is a listener.
func TestWorkersEnd(t *testing.T) {
	const requests = 20
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := inBubble.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) {
			<-release
		})})
		busy := func() (during, after int) {
			w := a.dial(t)
			for id := range uint16(requests) {
				w.send(get(id+1, true))
			}
			synctest.Wait()
			during = runtime.NumGoroutine()
			for range requests {
				release <- struct{}{}
			}
			for id := range uint16(requests) {
				w.answer(id + 1)
			}
			synctest.Wait()
			return during, runtime.NumGoroutine()
		}
		first, kept := busy()
		second, _ := busy()
		if kept < first-1 {
			t.Errorf("%d goroutines with %d requests, %d right after them", first, requests, kept)
		}
		// The second connection has one or two of its own.
		if second > first+2 {
			t.Errorf("%d goroutines with %d requests, %d with as many again", first, requests, second)
		}
		time.Sleep(3 * time.Second)
		if n := goroutines(second - requests); n > second-requests {
			t.Errorf("%d goroutines 3 seconds after %d requests, %d with them", n, requests, second)
		}
		busy()
		before := runtime.NumGoroutine()
		a.Close()
		synctest.Wait()
		if n := goroutines(before - requests); n > before-requests {
			t.Errorf("%d goroutines after Close, %d before", n, before)
		}
	})
}

// goroutines counts them until they are no more than expected, for a while: one that has ended is still counted until its
// thread has got round to it.
func goroutines(expected int) (n int) {
	for range 100_000 {
		if n = runtime.NumGoroutine(); n <= expected {
			break
		}
		runtime.Gosched()
	}
	return n
}
