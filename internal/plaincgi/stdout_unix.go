//go:build unix

package plaincgi

import (
	"os"

	"golang.org/x/sys/unix"
)

// takeStdout returns standard output under another number, and has descriptor 1
// point at standard error.
func takeStdout() (*os.File, error) {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
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
