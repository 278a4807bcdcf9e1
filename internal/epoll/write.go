//go:build linux

package epoll

import (
	"bytes"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A backlog is what the socket did not take yet, and the loop writes.
type backlog struct {
	head, body []byte
	stall      driver.Stall
}

func (b *backlog) size() int { return len(b.head) + len(b.body) }

// wrote takes n bytes off the front.
func (b *backlog) wrote(n int) {
	k := min(n, len(b.head))
	b.head, b.body = b.head[k:], b.body[n-k:]
}

// Send implements driver.Socket.
func (s *socket) Send(head, body []byte) (done bool, err error) {
	b := backlog{head: head, body: body}
	s.mu.Lock()
	if err = s.tryWrite(&b); err == nil && b.size() > 0 && s.interest == whenReadable {
		err = s.watch(unix.EPOLL_CTL_MOD, whenWritable)
	}
	if err != nil || b.size() == 0 {
		s.mu.Unlock()
		return true, err
	}
	pending := b // b itself need not be on the heap
	pending.stall.Took(driver.Now())
	s.pending = &pending
	s.mu.Unlock()
	s.loop.markDirty(s) // for the deadline
	return false, nil
}

// Keep implements driver.Socket.
func (s *socket) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending != nil {
		s.pending.body = bytes.Clone(s.pending.body)
	}
}

// writable goes on with what the socket did not take before.
func (s *socket) writable() {
	s.mu.Lock()
	if s.pending == nil {
		// Only now that an event came in vain is it asked for no more: who has
		// waited for the socket once often does so again.
		_ = s.watch(unix.EPOLL_CTL_MOD, whenReadable)
		s.mu.Unlock()
		return
	}
	before := s.pending.size()
	err := s.tryWrite(s.pending)
	left := s.pending.size()
	if left < before {
		s.pending.stall.Took(s.loop.now)
	}
	s.mu.Unlock()
	if err != nil || left == 0 {
		s.sent(err)
	}
}

// stalled reports whether the peer has taken nothing for WriteTimeout.
func (s *socket) stalled(now driver.Instant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil || s.stallDue() > now {
		return false
	}
	queued, ok := driver.Queued(uintptr(s.fd))
	return s.pending.stall.Check(now, s.loop.driver.WriteTimeout, queued, ok)
}

// stallDue returns when to look whether the peer takes anything; zero for never. It
// is called with mu held.
func (s *socket) stallDue() driver.Instant {
	if s.pending == nil || s.loop.driver.WriteTimeout <= 0 {
		return 0
	}
	return s.pending.stall.Due(s.loop.driver.WriteTimeout)
}

// sent ends what Send has left to the driver.
func (s *socket) sent(err error) {
	s.mu.Lock()
	s.pending = nil
	s.mu.Unlock()
	if s.conn != nil { // Accept may have written, and then refused
		s.conn.Sent(err)
	}
}

// tryWrite writes what the socket takes at once. It is called with mu held, so
// that the loop does not close the descriptor meanwhile.
func (s *socket) tryWrite(b *backlog) error {
	for s.fd >= 0 {
		n, err := write(s.fd, b.head, b.body)
		switch err {
		case 0:
			b.wrote(n)
			return nil
		case unix.EINTR:
		case unix.EAGAIN:
			return nil
		default:
			return os.NewSyscallError("write", err)
		}
	}
	return net.ErrClosed
}
