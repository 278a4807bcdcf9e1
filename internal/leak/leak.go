// Package leak has a package's tests fail where they leave goroutines or
// descriptors behind. Only tests import it.
package leak

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of a package, for its TestMain, and exits. It does not look
// for leaks while fuzzing, which has processes and pipes of its own.
func Main(m *testing.M) {
	goroutines, fds := runtime.NumGoroutine(), countFDs()
	code := m.Run()
	if code == 0 && !fuzzing() && !returned(goroutines, fds) {
		fmt.Fprintf(os.Stderr, "leaked: %d goroutines, was %d; %d descriptors, was %d\n",
			runtime.NumGoroutine(), goroutines, countFDs(), fds)
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

func fuzzing() bool {
	f := flag.Lookup("test.fuzz")
	return f != nil && f.Value.String() != ""
}

// returned waits for what ends by itself to end.
func returned(goroutines, fds int) bool {
	for range 200 {
		if runtime.NumGoroutine() <= goroutines && countFDs() <= fds {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// countFDs counts sockets, pipes and temporary files; the runtime opens others
// as it likes. It is zero where there is no /proc.
func countFDs() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		for _, kind := range []string{"socket:", "pipe:", os.TempDir()} {
			if strings.HasPrefix(target, kind) {
				n++
			}
		}
	}
	return n
}
