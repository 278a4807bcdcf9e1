//go:build unix

package listen_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain runs the tests, or, in a process that a test has started, the part of the child.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		runChild(role)
		os.Exit(0)
	}
	code := m.Run()
	if stacks := leakedGoroutines(); stacks != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks)
		code = 1
	}
	os.Exit(code)
}

// leakedGoroutines is the stacks of the goroutines that are left; those about to end get a moment.
func leakedGoroutines() (stacks string) {
	for range 100 {
		if stacks = otherGoroutines(); stacks == "" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return stacks
}

// otherGoroutines is the stacks of all goroutines but this one and the one that os/signal, used by a fuzzing run, keeps.
func otherGoroutines() string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var others []string
	for _, stack := range strings.Split(string(all), "\n\n")[1:] {
		if !strings.Contains(stack, "os/signal.loop") {
			others = append(others, stack)
		}
	}
	return strings.Join(others, "\n\n")
}
