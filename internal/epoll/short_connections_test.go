//go:build linux

package epoll_test

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// shortConnections is the variable that says how many there are to be: a million takes some minutes.
const shortConnections = "FASTCGI_SHORT_CONNECTIONS"

// A descriptor is closed by its owner only, when nobody can still use its number: no byte of a connection ever gets into
// another, and none is cut short, whoever writes, closes or hangs up at whatever moment.
func TestShortConnections(t *testing.T) {
	visits := 50_000
	if s := os.Getenv(shortConnections); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", shortConnections, err)
		}
		visits = n
	}
	c := newCrowd(t, visits)
	t.Logf("%d visits, seed %d", visits, c.seed)
	s := serve(t, &epoll.Driver{Loops: 3}, c)
	defer interrupt()()
	c.come(40, s.l.Addr().String())
}

// interrupt has the scheduler take the processor from whatever goroutine is running, at any instruction, and give it to
// others first: again and again, until stop is called. Reading the memory statistics stops the world.
func interrupt() (stop func()) {
	var end atomic.Bool
	var all sync.WaitGroup
	all.Go(func() {
		for !end.Load() {
			runtime.ReadMemStats(new(runtime.MemStats))
			runtime.Gosched()
		}
	})
	return func() {
		end.Store(true)
		all.Wait()
	}
}
