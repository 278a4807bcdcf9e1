//go:build unix

package supervise_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

func listen(t *testing.T) *supervise.Socket {
	t.Helper()
	socket, err := supervise.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}

// A44: an application may expect accept to wait; the mode belongs to the socket, so it must be right before it is
// handed over, and stay.
func TestListenBlocks(t *testing.T) {
	socket := listen(t)
	flags, err := unix.FcntlInt(socket.File.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x (%v) have O_NONBLOCK", flags, err)
	}
}

func TestListenIsPrivate(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	socket := listen(t)
	names, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := name.Info(); err != nil || info.Mode() != fs.ModeDir|0o700 {
			t.Errorf("the socket is in %v (%v), want a folder of mode 0700", info, err)
		}
	}
	conn, err := net.Dial("unix", socket.Path())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// F15: no stale socket is left after a crash, and none in any case after Close.
func TestListenLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	socket := listen(t)
	names, _ := os.ReadDir(os.TempDir())
	if runtime.GOOS == "linux" && len(names) > 0 {
		t.Errorf("while it listens, there is %v", names)
	}
	socket.Close()
	if names, _ := os.ReadDir(os.TempDir()); len(names) > 0 {
		t.Errorf("after Close, there is %v", names)
	}
	if _, err := net.Dial("unix", socket.Path()); err == nil {
		t.Error("after Close, it can be connected to")
	}
}

func TestListenSaysWhyNot(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]error{
		"/no/such/folder": syscall.ENOENT,
		long:              syscall.EINVAL,
	} {
		t.Setenv("TMPDIR", dir)
		socket, err := supervise.Listen()
		if !errors.Is(err, want) {
			t.Errorf("in %.40s: %v, want %v", dir, err, want)
		}
		if err == nil {
			socket.Close()
		}
	}
	if names, _ := os.ReadDir(long); len(names) > 0 {
		t.Errorf("%v is left behind", names)
	}
}
