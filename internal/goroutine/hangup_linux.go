package goroutine

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// hungUp reports whether the peer has closed its side, even behind bytes that
// were not read yet.
func hungUp(raw syscall.RawConn) bool {
	if raw == nil {
		return false
	}
	gone := false
	// An error means that this side has closed: nobody asks any more.
	_ = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(p, 0)
		gone = err == nil && n > 0
	})
	return gone
}
