package listen

import (
	"net"
	"os"
	"syscall"
)

// soAcceptConn is Winsock's SO_ACCEPTCONN, which package syscall does not name.
const soAcceptConn = 0x2

// takeOver makes a listener of standard input, the one handle that a parent process passes a socket in here (IIS
// does). The handle itself stays open.
func takeOver(fd int) (net.Listener, error) {
	if fd != listenSockFileno {
		return nil, notListening("is not a listening socket: this system passes one as fd 0 only")
	}
	l, err := net.FileListener(os.Stdin)
	if err != nil {
		return nil, isNoSocket
	}
	if !accepting(l) {
		l.Close()
		return nil, isUnlistened
	}
	return l, nil
}

// accepting reports whether somebody has called listen on l's socket.
func accepting(l net.Listener) bool {
	fd, ok := Fd(l)
	if !ok {
		return false
	}
	on, err := syscall.GetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, soAcceptConn)
	return err == nil && on != 0
}
