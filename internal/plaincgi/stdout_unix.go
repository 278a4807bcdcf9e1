//go:build unix

package plaincgi

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// takeStdout returns standard output under another number, and has descriptor 1
// point at standard error.
func takeStdout() (*os.File, error) {
	// In two steps, for AIX has no F_DUPFD_CLOEXEC.
	syscall.ForkLock.RLock()
	fd, err := unix.FcntlInt(1, unix.F_DUPFD, 3)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(fd), "stdout")
	if err := redirect(2, 1); err != nil {
		f.Close()
		return nil, os.NewSyscallError("dup2", err)
	}
	return f, nil
}
