package gateway_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain fails where a test leaves goroutines or descriptors behind.
func TestMain(m *testing.M) {
	goroutines, fds := runtime.NumGoroutine(), countFDs()
	code := m.Run()
	if code == 0 && !returned(goroutines, fds) {
		fmt.Fprintf(os.Stderr, "leaked: %d goroutines, was %d; %d descriptors, was %d\n",
			runtime.NumGoroutine(), goroutines, countFDs(), fds)
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// returned waits for what ends by itself to end.
func returned(goroutines, fds int) bool {
	for range 100 {
		if runtime.NumGoroutine() <= goroutines && countFDs() <= fds {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// countFDs counts sockets and pipes; the runtime opens others as it likes. It
// is zero where there is no /proc.
func countFDs() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if len(target) > 7 && (target[:7] == "socket:" || target[:5] == "pipe:") {
			n++
		}
	}
	return n
}
