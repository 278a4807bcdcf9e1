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
	e := show(t, oneLoop(), nil)
	first, old := e.open()
	first.Post(func() { duplicate, _ = unix.FcntlInt(uintptr(epoll.Descriptor(first.Socket)), unix.F_DUPFD_CLOEXEC, 3) })
	first.turn()
	defer unix.Close(duplicate)
	first.Close()
	first.expectEnd(net.ErrClosed)
	first.turn()

	second, peer := e.open()
	second.Pause()
	second.turn()
	io.WriteString(old, "old")
	second.expectQuiet()
	old.Close() // of which second is told nothing, though it waits for just that
	second.expectQuiet()
	second.Resume()
	io.WriteString(peer, "new")
	second.expectData("new")
}
