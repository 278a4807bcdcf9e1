package front

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// Main is a TestMain. It fails where tests leave goroutines or descriptors
// behind, and it is program, the main function under test, in the processes that
// Start makes.
func Main(m *testing.M, program func()) {
	if os.Getenv(runProgram) != "" {
		program()
		os.Exit(0)
	}
	goroutines, fds := runtime.NumGoroutine(), countFDs()
	code := m.Run()
	if code == 0 && !returned(goroutines, fds) {
		fmt.Fprintf(os.Stderr, "leaked: %d goroutines, was %d; %d descriptors, was %d\n",
			runtime.NumGoroutine(), goroutines, countFDs(), fds)
		if err := pprof.Lookup("goroutine").WriteTo(os.Stderr, 1); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
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
func countFDs() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	n := 0
	for _, e := range entries {
		// A descriptor that was closed since has no target.
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if strings.HasPrefix(target, "socket:") || strings.HasPrefix(target, "pipe:") {
			n++
		}
	}
	return n
}
