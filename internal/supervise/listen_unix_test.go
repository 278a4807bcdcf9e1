//go:build unix

package supervise_test

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

// A44: an application may expect accept to wait; the mode belongs to the socket, so it must be right before it is
// handed over, and stay.
func TestListenBlocks(t *testing.T) {
	socket, err := supervise.Listen(filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	flags, err := unix.FcntlInt(socket.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x (%v) have O_NONBLOCK", flags, err)
	}
}

func TestListenSaysWhyNot(t *testing.T) {
	dir := t.TempDir()
	taken, err := supervise.Listen(filepath.Join(dir, "taken"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, want := range map[string]error{
		"taken":                  syscall.EADDRINUSE,
		"no/folder":              syscall.ENOENT,
		strings.Repeat("x", 200): syscall.EINVAL,
	} {
		socket, err := supervise.Listen(filepath.Join(dir, name))
		if !errors.Is(err, want) {
			t.Errorf("%.20s: %v, want %v", name, err, want)
		}
		if err == nil {
			socket.Close()
		}
	}
}
