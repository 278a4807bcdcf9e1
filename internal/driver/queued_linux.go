package driver

import "golang.org/x/sys/unix"

// SeesQueue says whether Queued can tell.
const SeesQueue = true

// Queued returns how many bytes the system holds of what was written to a TCP or
// Unix socket and the peer has not taken. Those of a Unix socket become less when
// the peer has read the whole of what the system keeps together, some 36 KiB; those
// of a TCP socket when the peer's system has acknowledged them.
func Queued(fd uintptr) (n int, ok bool) {
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	return n, err == nil
}
