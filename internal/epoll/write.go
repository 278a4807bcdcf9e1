//go:build linux

package epoll

import (
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Kick implements driver.Socket.
func (s *socket) Kick() {
	s.mu.Lock()
	if s.writing || s.blocked {
		s.again = true
		s.mu.Unlock()
		return
	}
	s.writing = true
	s.mu.Unlock()
	s.write()
}

// write writes until there is no output left or the socket takes no more. The
// caller has set writing.
func (s *socket) write() {
	for {
		p := s.conn.Output()
		if len(p) == 0 {
			if s.doneWriting() {
				return
			}
			continue
		}
		n, err := s.tryWrite(p)
		s.conn.Sent(n, err)
		if err != nil {
			// It is final: writing stays set, and nobody writes any more.
			return
		}
		if n < len(p) && s.wait() {
			return
		}
	}
}

// tryWrite writes what the socket takes at once. The mutex keeps the loop from
// closing the descriptor meanwhile.
func (s *socket) tryWrite(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return 0, net.ErrClosed
	}
	for {
		n, err := unix.Write(s.fd, p)
		switch err {
		case nil:
			s.stuck = time.Time{}
			// An edge of epoll's may come before wait is called.
			s.blocked = n < len(p)
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			s.blocked = true
			return 0, nil
		default:
			return 0, os.NewSyscallError("write", err)
		}
	}
}

// wait leaves the rest to the loop. It returns false if the socket takes bytes
// again already.
func (s *socket) wait() bool {
	s.mu.Lock()
	if !s.blocked {
		s.mu.Unlock()
		return false
	}
	s.writing = false
	if s.stuck.IsZero() {
		s.stuck = time.Now()
	}
	s.mu.Unlock()
	s.loop.note(s) // for the deadline
	return true
}

// writable goes on where writing was blocked.
func (s *socket) writable() {
	s.mu.Lock()
	if !s.blocked {
		s.mu.Unlock()
		return
	}
	s.blocked = false
	if s.writing {
		// Between tryWrite and wait, which will see.
		s.mu.Unlock()
		return
	}
	s.writing = true
	s.mu.Unlock()
	s.write()
}

// doneWriting lets the next Kick write, unless one came in between.
func (s *socket) doneWriting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = s.again
	s.again = false
	return !s.writing
}
