package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// A Listener accepts the connections of permitted peers from a TCP or Unix socket.
//
// Its methods may be called by several goroutines at once.
type Listener struct {
	// Immutable.
	inner net.Listener
	guard *Guard
	name  string
	file  *socketFile // nil unless Listen made a socket file

	removeFile sync.Once
}

// Accept waits for the next permitted peer. Connections are *net.TCPConn or *net.UnixConn.
//
// Other peers are closed, reported to Options.Refused and never waited for.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.inner.Accept()
		if err != nil {
			return nil, err
		}
		reason := l.Permits(c)
		if reason == nil {
			return c, nil
		}
		addr := c.RemoteAddr()
		c.Close() // nothing was written, so there is nothing to lose
		l.guard.Report(addr, reason)
	}
}

// Permits says why the peer of c, accepted from this listener, may not connect; nil if it may.
func (l *Listener) Permits(c net.Conn) error {
	if l.guard == nil {
		return nil
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return errors.New("the connection has no descriptor to check")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var reason error
	if err := raw.Control(func(fd uintptr) { reason = l.guard.Check(c.RemoteAddr(), fd) }); err != nil {
		return err
	}
	return reason
}

// Guard is the rule that Accept applies, for a driver that accepts on the descriptor itself; nil admits everybody.
func (l *Listener) Guard() *Guard { return l.guard }

// Unwrap is the *net.TCPListener or *net.UnixListener beneath. Accepting from it skips the guard, and closing it
// leaves the socket file in place, which is what a process wants that has handed the socket on.
func (l *Listener) Unwrap() net.Listener { return l.inner }

// Name is the socket's name in LISTEN_FDNAMES (FileDescriptorName= in a systemd socket unit), or empty.
func (l *Listener) Name() string { return l.name }

// Addr is the address the socket is bound to.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close stops listening and removes the socket file, if Listen made one and it is still the same file.
func (l *Listener) Close() error {
	// Before the socket is closed: while it is open its inode cannot be given to another file, and a program that
	// starts on the same path sees it answer.
	l.removeFile.Do(l.file.remove)
	return l.inner.Close()
}

// A socketFile is the directory entry of a Unix socket that this process made.
type socketFile struct {
	path string // absolute: the working directory may change
	info os.FileInfo
}

// remove deletes the entry unless another file has taken its place. There is nobody to tell about a failure: the
// file is then found stale by the next start.
func (f *socketFile) remove() {
	if f == nil {
		return
	}
	if now, err := os.Lstat(f.path); err == nil && os.SameFile(now, f.info) {
		os.Remove(f.path)
	}
}

// Fd is the descriptor that l listens on, found through any number of Unwrap methods. It stays l's: it is neither
// duplicated nor put in blocking mode, and is valid until l is closed, which Control prevents.
func Fd(l net.Listener) (fd uintptr, ok bool) {
	err := Control(l, func(f uintptr) { fd = f })
	return fd, err == nil
}

// Control calls f with that descriptor, which is not closed meanwhile. The error says why it cannot: net.ErrClosed if l is
// closed.
func Control(l net.Listener, f func(fd uintptr)) error {
	for {
		wrapper, ok := l.(interface{ Unwrap() net.Listener })
		if !ok {
			break
		}
		l = wrapper.Unwrap()
	}
	sc, ok := l.(syscall.Conn)
	if !ok {
		return fmt.Errorf("fastcgi: a listener of type %T has no descriptor", l)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}
