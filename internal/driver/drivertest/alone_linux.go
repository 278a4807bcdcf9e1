package drivertest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inChild is the variable that tells a test that it runs in a process of its own.
const inChild = "FASTCGI_DRIVER_TEST_CHILD"

// Alone runs a test in a process of its own, whose limits it may change.
func Alone(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(inChild) != "" {
		test(t)
		return
	}
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(t.Name()), "/", "$/^") + "$"
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+pattern, "-test.v")
	cmd.Env = append(os.Environ(), inChild+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Exhaust leaves the process so many descriptors that it may open, until relieve is called.
func Exhaust(t *testing.T, left int) (relieve func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	// Descriptors are given out from the lowest, so once all below are taken the limit is the one that is left.
	var taken []int
	highest := -1
	for range left + 1 {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, fd)
		highest = fd
	}
	for _, fd := range taken {
		unix.Close(fd)
	}
	setLimit(t, unix.Rlimit{Cur: uint64(highest), Max: before.Max})
	return func() { setLimit(t, before) }
}

func setLimit(t *testing.T, limit unix.Rlimit) {
	t.Helper()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Error(err)
	}
}
