package drivertest

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// giveUp is how long anything may take before a test gives up on it. It is no measure of what is fast enough.
const giveUp = 30 * time.Second

// Eventually waits until something has come true, and reports whether it has.
func Eventually(t testing.TB, what string, is func() bool) bool {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(start) > giveUp {
			t.Errorf("gave up waiting until %s", what)
			return false
		}
	}
	return true
}

// Take takes a value from a channel.
func Take[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(giveUp):
		t.Fatalf("gave up waiting for a %T\n%s", *new(T), Stacks())
		panic("unreachable")
	}
}

// Stacks returns the stacks of all goroutines, with their states.
func Stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// An Inventory is what a process has.
type Inventory struct{ goroutines, descriptors int }

// TakeInventory counts what there is now.
func TakeInventory() Inventory {
	return Inventory{runtime.NumGoroutine(), countDescriptors()}
}

// Expect waits until there is no more than before.
func (before Inventory) Expect(t testing.TB) {
	t.Helper()
	if !Eventually(t, "goroutines and descriptors are as many as before", func() bool {
		now := TakeInventory()
		return now.goroutines <= before.goroutines && now.descriptors <= before.descriptors
	}) {
		t.Logf("before %+v, now %+v\n%s", before, TakeInventory(), Stacks())
	}
}

// countDescriptors counts sockets and epoll descriptors, with the one of Go's own poller. It is zero where there is no /proc.
func countDescriptors() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if strings.HasPrefix(target, "socket:") || target == "anon_inode:[eventpoll]" {
			n++
		}
	}
	return n
}

// CrowdThreads makes it likely that something happens between any two instructions, until undo is called: with more threads
// than processors the system interrupts them anywhere. A driver that was made to let go of its mutex for an instant before it
// writes was found out by the crowd in two runs of three that way, and in none with a thread for each processor.
func CrowdThreads() (undo func()) {
	procs := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	return func() { runtime.GOMAXPROCS(procs) }
}
