package main

import (
	"net"
	"os/exec"
	"testing"
	"time"
)

func TestBrowserURL(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"0.0.0.0:80":     "http://localhost:80",
		"[::]:8080":      "http://localhost:8080",
		"[::1]:8080":     "http://[::1]:8080",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := browserURL(tcp); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}

// Whoever serves one connection at a time must never be left with an idle one.
func TestCapabilities(t *testing.T) {
	for _, tt := range []struct {
		caps     capabilities
		workers  int
		keepConn bool
		maxConns int
	}{
		{capabilities{}, 3, false, 0},
		{capabilities{maxConns: 1}, 1, false, 1},
		{capabilities{maxConns: 1}, 3, false, 3},
		{capabilities{maxConns: 1, multiplexes: true}, 1, false, 1},
		{capabilities{maxConns: 4}, 2, true, 8},
		{capabilities{multiplexes: true}, 2, true, 0},
		{capabilities{maxConns: 10000}, 2, true, 20000},
		{capabilities{maxConns: 1 << 30}, 2, true, 0},
	} {
		c := tt.caps.client("unix:/socket", tt.workers)
		if c.KeepConn != tt.keepConn || c.MaxConns != tt.maxConns {
			t.Errorf("%+v, %d workers: KeepConn %v, MaxConns %d; want %v, %d",
				tt.caps, tt.workers, c.KeepConn, c.MaxConns, tt.keepConn, tt.maxConns)
		}
	}
}

func TestDescribeEnd(t *testing.T) {
	if got, want := describeEnd(nil), "exited with status 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err := &exec.Error{Name: "./app", Err: exec.ErrNotFound}
	if got, want := describeEnd(err), "could not be started: "+err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0 requests", 1: "1 request", 2: "2 requests"} {
		if got := count(n, "request"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNumbersOfServe(t *testing.T) {
	for _, tt := range []struct {
		workers     int
		drain       time.Duration
		wantWorkers int
		wantDrain   time.Duration
	}{
		{0, 0, 1, 30 * time.Second},
		{2, 1, 2, 1},
		{1, -1, 1, 0},
	} {
		o := serveOptions{workers: tt.workers, drain: tt.drain}
		o.resolve()
		if o.workers != tt.wantWorkers || o.drain != tt.wantDrain {
			t.Errorf("%d workers and %v to drain mean %d and %v, want %d and %v",
				tt.workers, tt.drain, o.workers, o.drain, tt.wantWorkers, tt.wantDrain)
		}
	}
}
