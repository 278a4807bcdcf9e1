package supervise_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain is also the program that the tests supervise: started with a role, it plays that instead of testing. Left
// behind after the tests, goroutines and processes fail them.
func TestMain(m *testing.M) {
	if role := os.Getenv("SUPERVISE_TEST_ROLE"); role != "" {
		os.Exit(play(role))
	}
	code := m.Run()
	if code == 0 && !clean() {
		fmt.Fprintf(os.Stderr, "left behind: %d goroutines, children %q\n", runtime.NumGoroutine(), children())
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// clean waits for what ends by itself to end.
func clean() bool {
	for range 100 {
		if runtime.NumGoroutine() == 1 && children() == "" {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// children lists the processes that this one started and that still exist, zombies included. It is empty where there
// is no /proc.
func children() string {
	var all string
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		some, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		all += string(some)
	}
	return all
}
