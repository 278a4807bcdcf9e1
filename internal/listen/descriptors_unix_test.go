//go:build unix

package listen_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func fdAddr(fd int) string { return "fd:" + strconv.Itoa(fd) }

// openFile is an open regular file.
func openFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// socket is a Unix socket that is neither bound nor connected.
func socket(t *testing.T, kind int) *os.File {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, kind, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { f.Close() })
	return f
}

// connected is one end of a connection, as inetd passes it.
func connected(t *testing.T, network string) *os.File {
	t.Helper()
	s := open(t, network, "127.0.0.1:0")
	c, err := net.Dial(s.addr.Network(), s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	f, err := c.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
