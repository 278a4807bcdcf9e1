//go:build unix

package goroutine

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// rawConn returns the descriptor of a TCP or Unix connection. Other types of
// net.Conn may do more than pass bytes through, as TLS does, so their
// descriptor is left alone.
func rawConn(nc net.Conn) syscall.RawConn {
	var sc syscall.Conn
	switch c := nc.(type) {
	case *net.TCPConn:
		sc = c
	case *net.UnixConn:
		sc = c
	default:
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// A rawRead is a read from a descriptor; its parts stand here so that none of
// them is allocated for each read.
type rawRead struct {
	attempt func(fd uintptr) bool
	buf     []byte
	err     error
}

func (r *rawRead) init() {
	r.attempt = func(fd uintptr) bool {
		// The buffer is taken when there is something to read, and not
		// before: idle connections hold none.
		buf := pool.Get(readSize)
		n, err := ignoringEINTR(syscall.Read, int(fd), buf[:cap(buf)])
		if errors.Is(err, syscall.EAGAIN) {
			pool.Put(buf)
			return false
		}
		switch {
		case err != nil:
			n, err = 0, os.NewSyscallError("read", err)
		case n == 0:
			err = io.EOF
		}
		r.buf, r.err = buf[:n], err
		return true
	}
}

// read waits for bytes and returns them in a buffer from the pool.
func (s *socket) read() ([]byte, error) {
	if s.raw == nil {
		return s.readBuffered()
	}
	r := &s.reading
	r.buf, r.err = nil, nil
	if err := s.raw.Read(r.attempt); err != nil {
		return nil, err
	}
	return r.buf, r.err
}

// A rawWrite is a write to a descriptor, as rawRead is a read.
type rawWrite struct {
	attempt func(fd uintptr) bool
	wait    bool // for the socket to take something
	p       []byte
	n       int
	err     error
}

func (w *rawWrite) init() {
	w.attempt = func(fd uintptr) bool {
		w.n, w.err = ignoringEINTR(syscall.Write, int(fd), w.p)
		return !w.wait || !errors.Is(w.err, syscall.EAGAIN)
	}
}

// tryWrite writes what the socket takes at once, which may be nothing.
func (s *socket) tryWrite(p []byte) (int, error) {
	if s.raw == nil {
		return 0, nil
	}
	return s.sending.write(s.raw, p, false)
}

// write writes what the socket takes, and waits until that is something.
func (s *socket) write(p []byte) (int, error) {
	if s.raw == nil {
		return s.writePiece(p)
	}
	return s.sending.write(s.raw, p, true)
}

func (w *rawWrite) write(raw syscall.RawConn, p []byte, wait bool) (int, error) {
	w.p, w.wait = p, wait
	err := raw.Write(w.attempt)
	w.p = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(w.err, syscall.EAGAIN):
		return 0, nil
	case w.err != nil:
		return 0, os.NewSyscallError("write", w.err)
	}
	return w.n, nil
}

func ignoringEINTR(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
