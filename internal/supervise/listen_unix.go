//go:build unix

package supervise

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// backlog is how many connections wait for a busy or restarting worker; the kernel may have a lower limit of its own.
const backlog = 511

// Listen makes a Socket, in a folder of its own under [os.TempDir]. That has to have a short path, since the path of a
// socket can have about 100 bytes: otherwise the error is a syscall.EINVAL.
func Listen() (*Socket, error) {
	folder, err := os.MkdirTemp("", "fcgi-") // nobody else may look into it, and so nobody connect
	if err != nil {
		return nil, fmt.Errorf("supervise: making a folder for a socket: %w", err)
	}
	path := filepath.Join(folder, "socket")
	file, err := listenAt(path)
	if err != nil {
		os.RemoveAll(folder)
		return nil, fmt.Errorf("supervise: listening on %s: %w", path, err)
	}
	socket := &Socket{File: file, path: path, folder: folder}
	socket.hide()
	return socket, nil
}

func listenAt(path string) (*os.File, error) {
	fd, err := unixSocket()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		syscall.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		syscall.Close(fd)
		return nil, os.NewSyscallError("listen", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// unixSocket makes a socket that no process inherits by accident, not even one that is being started right now.
func unixSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}
