package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain is also the tool and the applications that the tests start: this binary plays the role that its first
// argument names. Goroutines and processes left behind after the tests fail them.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if role, ok := roles[os.Args[1]]; ok {
			os.Exit(role(os.Args[2:]))
		}
	}
	// The race detector would have every process sleep for a second when it exits.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	code := m.Run()
	if code == 0 && !clean() {
		fmt.Fprintf(os.Stderr, "left behind: %d goroutines, children %q\n", runtime.NumGoroutine(), children())
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

var roles = map[string]func(args []string) int{
	"play-fcgi": func(args []string) int {
		return run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr)
	},
	"play-app":  playApplication,
	"play-exit": playExit,
	"play-mute": playMute,
	"play-smtp": playSMTP,
}

// clean waits for what ends by itself to end. Two goroutines of os/signal stay once it was used.
func clean() bool {
	for range 100 {
		if runtime.NumGoroutine() <= 2 && children() == "" {
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
