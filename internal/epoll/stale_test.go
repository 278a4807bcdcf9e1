//go:build linux

package epoll_test

import (
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// Epoll tells of a socket for as long as any descriptor of it is open, such as that of a child process which has just been
// forked. What it tells of one whose connection is gone is not taken for something about the connection that came in its
// place.
func TestOldEvent(t *testing.T) {
	var duplicate int
	e := serve(t, oneLoop(), nil)
	first, old := e.Open()
	first.Post(func() { duplicate, _ = unix.FcntlInt(uintptr(epoll.Descriptor(first.Socket)), unix.F_DUPFD_CLOEXEC, 3) })
	first.Turn()
	defer unix.Close(duplicate)
	first.Close()
	first.ExpectEnd(net.ErrClosed)
	first.Turn()

	second, peer := e.Open()
	second.Pause()
	second.Turn()
	io.WriteString(old, "old")
	second.ExpectQuiet()
	old.Close() // of which second is told nothing, though it waits for just that
	second.ExpectQuiet()
	second.Resume()
	io.WriteString(peer, "new")
	second.ExpectData("new")
}
