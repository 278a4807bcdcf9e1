package goroutine

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// cork has a TCP connection hold back what does not fill a packet, until it is closed.
func cork(raw syscall.RawConn) {
	if raw == nil {
		return
	}
	// What fails here has failed altogether, and sending finds it.
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1) })
}
