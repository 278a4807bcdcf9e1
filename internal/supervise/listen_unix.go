//go:build unix

package supervise

import (
	"fmt"
	"os"
	"syscall"
)

// backlog is how many connections wait for a busy or restarting worker; the kernel may have a lower limit of its own.
const backlog = 511

// Listen makes a listening Unix socket at a path where nothing is yet, to be handed to processes: in blocking mode and
// without Go's poller, unlike what [net.Listen] makes. Closing it leaves the path, as the caller's to remove.
//
// Who may connect is decided by the folder it is in; a path may have about 100 bytes.
func Listen(path string) (*os.File, error) {
	fd, err := unixSocket()
	if err != nil {
		return nil, fmt.Errorf("supervise: making a socket: %w", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("supervise: binding a socket to %s: %w", path, err)
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("supervise: listening on %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// unixSocket makes a socket that no process inherits by accident, one that another goroutine is just starting included.
func unixSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}
