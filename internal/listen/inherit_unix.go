//go:build unix

package listen

import (
	"net"
	"os"
	"syscall"
)

// takeOver makes a listener of the inherited descriptor fd, which is then no longer the program's: it is closed, or,
// if it is standard input, it reads as empty. Otherwise the socket would stay open, and connections would queue on
// it, after the listener is closed.
func takeOver(fd int) (net.Listener, error) {
	if err := checkListening(fd); err != nil {
		return nil, err
	}
	if fd != listenSockFileno {
		syscall.CloseOnExec(fd)
		return adopt(fd)
	}
	spare, err := duplicate(fd)
	if err != nil {
		return nil, err
	}
	l, err := adopt(spare)
	if err != nil {
		return nil, err
	}
	if err := emptyStdin(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// checkListening says why fd is not a listening stream socket; nil if it is.
//
// FastCGI 1.0 §2.2 has a program call getpeername on fd 0: "failed with errno set to ENOTCONN" means FastCGI, all else
// CGI. A socket that is neither connected nor listening fails so as well, and SO_ACCEPTCONN tells it apart.
func checkListening(fd int) error {
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	switch {
	case err == syscall.EBADF:
		return isClosed
	case err != nil:
		return isNoSocket + notListening(whatElse(fd))
	case kind != syscall.SOCK_STREAM:
		return isNoStream
	}
	if _, err := syscall.Getpeername(fd); err != syscall.ENOTCONN {
		return isConnected
	}
	// Not every system lets the option be read; ENOTCONN has to do there.
	if listening, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN); err == nil && listening == 0 {
		return isUnlistened
	}
	return nil
}

// whatElse says in brackets what the descriptor fd is that is no socket, or nothing if it cannot say. Where standard
// input was closed, the runtime has put the null device.
func whatElse(fd int) string {
	var st syscall.Stat_t
	if syscall.Fstat(fd, &st) != nil {
		return ""
	}
	switch uint32(st.Mode) & syscall.S_IFMT {
	case syscall.S_IFREG:
		return " (it is a file)"
	case syscall.S_IFDIR:
		return " (it is a directory)"
	case syscall.S_IFIFO:
		return " (it is a pipe)"
	case syscall.S_IFCHR:
		return " (it is a terminal, /dev/null or another device)"
	}
	return ""
}

// adopt makes a listener of the listening socket fd and closes fd, whatever happens.
func adopt(fd int) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	return net.FileListener(f)
}

// duplicate is a close-on-exec copy of fd.
func duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	spare, err := syscall.Dup(fd)
	if err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(spare)
	return spare, nil
}

// emptyStdin puts a pipe that nobody writes to in the place of fd 0. Closing fd 0 would make the next file opened
// standard input, and /dev/null may be missing where the program is confined to a directory.
func emptyStdin() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	w.Close()
	defer r.Close()
	return os.NewSyscallError("dup2", replace(int(r.Fd()), listenSockFileno))
}
