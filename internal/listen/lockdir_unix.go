//go:build unix && !aix && (!solaris || illumos)

package listen

import (
	"os"
	"syscall"
	"time"
)

const (
	// lockTimeout is far longer than another start holds the lock (well under a millisecond). A lock held for longer
	// has another purpose: flock(1) around the program, say, or a directory kept from systemd-tmpfiles.
	lockTimeout  = time.Second
	lockInterval = 2 * time.Millisecond
)

// lockDirectory keeps other programs of this kind from making socket files in dir until unlock is called. It is a
// lock among friends: where it cannot be had, on some network file systems for instance, starts are merely not
// kept apart.
func lockDirectory(dir *os.Root) (unlock func()) {
	f, err := dir.Open(".")
	if err != nil {
		return func() {}
	}
	for deadline := time.Now().Add(lockTimeout); ; time.Sleep(lockInterval) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		busy := err == syscall.EWOULDBLOCK || err == syscall.EINTR
		if !busy || time.Now().After(deadline) {
			return func() { f.Close() }
		}
	}
}
