//go:build linux

package harness

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// firstCore is a processor that this test may use.
func firstCore(t *testing.T) int {
	t.Helper()
	var usable unix.CPUSet
	if err := unix.SchedGetaffinity(0, &usable); err != nil {
		t.Fatal(err)
	}
	core := 0
	for !usable.IsSet(core) {
		core++
	}
	return core
}

func TestServerThatDoesNotListenIsExplained(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	args := []string{"sh", "-c", "echo the disk is on fire >&2; exit 3"}
	_, err := StartProcess(t.Context(), firstCore(t), socket, args, nil)
	if err == nil || !strings.Contains(err.Error(), "ended before it listened") || !strings.Contains(err.Error(), "on fire") {
		t.Errorf("error is %v", err)
	}
}

// TestUsageCountsChildren has a shell wait for a child that is busy.
func TestUsageCountsChildren(t *testing.T) {
	core := firstCore(t)
	p, err := launch(t.Context(), core, []string{"sh", "-c", "(while :; do :; done) & wait"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	// More than a shell needs to start: the child's.
	for spent := time.Duration(0); spent < 50*time.Millisecond; {
		if spent, err = p.CPUTime(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	pids, err := p.group()
	if err != nil || len(pids) != 2 {
		t.Fatalf("processes are %v, %v; want the shell and its child", pids, err)
	}
	for _, pid := range pids {
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(pid, &set); err != nil || set != *only(core) {
			t.Errorf("process %d is not on processor %d only: %v, %v", pid, core, set, err)
		}
	}
	if n, err := p.Peak(); err != nil || n == 0 {
		t.Errorf("memory is %d, %v", n, err)
	}
	p.Stop()
	// The child was killed, too, and is gone as soon as the kernel gets to it.
	for err == nil {
		_, err = p.group()
	}
}

func TestOutput(t *testing.T) {
	out, err := Output(t.Context(), firstCore(t), []string{"sh", "-c", "echo figures"})
	if string(out) != "figures\n" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
	_, err = Output(t.Context(), firstCore(t), []string{"sh", "-c", "echo on fire >&2; exit 3"})
	if err == nil || !strings.Contains(err.Error(), "status 3: on fire") {
		t.Errorf("error is %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var said tail
	said.Write([]byte(strings.Repeat("a", 2*tailSize)))
	said.Write([]byte("the cause\n"))
	if got := said.String(); !strings.HasSuffix(got, "aa"+"the cause") || len(got) >= tailSize {
		t.Errorf("kept %d bytes: %q", len(got), got)
	}
}
