//go:build linux

package epoll_test

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// loopStates are the states of the loops' goroutines, as they stand in a stack trace.
func loopStates() (states []string) {
	for _, g := range strings.Split(drivertest.Stacks(), "\n\n") {
		if strings.Contains(g, "epoll.(*loop).run") {
			_, state, _ := strings.Cut(g, "[")
			state, _, _ = strings.Cut(state, "]")
			state, _, _ = strings.Cut(state, ",") // how long it has lasted
			states = append(states, state)
		}
	}
	return states
}

// expectLoops waits until there are so many goroutines of loops, and each is parked in Go's poller, where it needs neither a
// thread nor a processor.
func expectLoops(t *testing.T, want int) {
	t.Helper()
	parked := func() bool {
		states := loopStates()
		for _, s := range states {
			if s != "IO wait" {
				return false
			}
		}
		return len(states) == want
	}
	if !drivertest.Eventually(t, "the loops are parked", parked) {
		t.Errorf("the loops are %q, want %d that wait", loopStates(), want)
	}
}

// A loop has a goroutine for as long as it has something to wait for, and no longer.
func TestIdle(t *testing.T) {
	const loops = 4
	d := &epoll.Driver{Loops: loops}
	expectLoops(t, 0)
	done := make(chan struct{})
	d.FirstLoop().Post(func() { close(done) })
	drivertest.Take(t, done)
	expectLoops(t, 0)

	e := serve(t, d, nil)
	expectLoops(t, loops)
	c, peer := e.Open()
	expectLoops(t, loops)
	e.Stop()
	expectLoops(t, 1)
	c.SetDeadline(driver.Now().After(time.Hour))
	c.Turn()
	expectLoops(t, 1)
	peer.Write([]byte("x"))
	c.ExpectData("x")
	expectLoops(t, 1)
	c.Close()
	c.ExpectEnd(net.ErrClosed)
	expectLoops(t, 0)
	c.Post(func() {})
	expectLoops(t, 0)
}

// Loops that wait hold no threads: any number of them needs no more than none.
func TestIdleThreads(t *testing.T) {
	const loops = 100
	before := threads(t)
	e := serve(t, &epoll.Driver{Loops: loops}, nil)
	expectLoops(t, loops)
	c, peer := e.Open()
	for range 100 {
		peer.Write([]byte("x"))
		c.ExpectData("x")
	}
	expectLoops(t, loops)
	if now := threads(t); now > before+loops/2 {
		t.Errorf("there are %d threads, and were %d without %d loops", now, before, loops)
	}
}

// threads counts the threads of this process.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}
