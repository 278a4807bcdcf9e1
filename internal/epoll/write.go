//go:build linux

package epoll

import (
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// Send implements driver.Socket.
func (s *socket) Send(p []byte) (done bool, err error) {
	s.mu.Lock()
	n, err := s.tryWrite(p)
	if n == len(p) || err != nil {
		s.mu.Unlock()
		return true, err
	}
	if s.told == whenReadable {
		err = s.watch(unix.EPOLL_CTL_MOD, whenWritable)
	}
	if err != nil {
		s.mu.Unlock()
		return true, os.NewSyscallError("epoll_ctl", err)
	}
	s.rest, s.stuck = p[n:], driver.Now()
	s.mu.Unlock()
	s.loop.note(s) // for the deadline
	return false, nil
}

// writable goes on with what the socket did not take before.
func (s *socket) writable() {
	s.mu.Lock()
	if s.rest == nil {
		// It is asked for no more, but not before it is told in vain: what waits
		// for long rarely is the last.
		_ = s.watch(unix.EPOLL_CTL_MOD, whenReadable)
		s.mu.Unlock()
		return
	}
	n, err := s.tryWrite(s.rest)
	if n > 0 {
		s.stuck = s.loop.now
	}
	s.rest = s.rest[n:]
	left := len(s.rest)
	s.mu.Unlock()
	if left == 0 || err != nil {
		s.sent(err)
	}
}

// sent ends what Send has left to the driver.
func (s *socket) sent(err error) {
	s.mu.Lock()
	s.rest, s.stuck = nil, 0
	s.mu.Unlock()
	s.conn.Sent(err)
}

// tryWrite writes what the socket takes at once. It is called with mu held, so
// that the loop does not close the descriptor meanwhile.
func (s *socket) tryWrite(p []byte) (int, error) {
	if s.fd < 0 {
		return 0, net.ErrClosed
	}
	for {
		n, err := write(s.fd, p)
		switch err {
		case 0:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil
		default:
			return 0, os.NewSyscallError("write", err)
		}
	}
}
