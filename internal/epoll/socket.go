//go:build linux

package epoll

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A socket is a connection below the seam.
type socket struct {
	// Immutable.
	loop   *loop
	remote net.Addr
	conn   driver.Conn

	// Owned by the loop's goroutine.
	slot       int32
	generation int32
	registered bool // epoll knows it
	queued     bool // in loop.ready
	unread     bool // more may be there to read
	hangup     bool // the peer has closed its side
	inputEnded bool // ReceiveEnd was called
	timer      int  // place in loop.timers, from 1; 0: none
	due        time.Time

	// Guarded by loop.mu.
	noted bool // in loop.changed

	mu       sync.Mutex
	fd       int // -1 after it was closed, which only the loop does
	closing  bool
	paused   bool
	writing  bool      // somebody is between Output and Sent
	again    bool      // Kick came while writing
	blocked  bool      // the socket takes no bytes
	deadline time.Time // what SetDeadline asked for
	stuck    time.Time // since when the peer takes nothing
}

// SetDeadline implements driver.Socket.
func (s *socket) SetDeadline(t time.Time) {
	s.mu.Lock()
	s.deadline = t
	s.mu.Unlock()
	s.loop.note(s)
}

// Pause implements driver.Socket.
func (s *socket) Pause() { s.setPaused(true) }

// Resume implements driver.Socket.
func (s *socket) Resume() { s.setPaused(false) }

func (s *socket) setPaused(paused bool) {
	s.mu.Lock()
	s.paused = paused
	s.mu.Unlock()
	s.loop.note(s)
}

// Post implements driver.Loop.
func (s *socket) Post(f func()) { s.loop.do(f) }

// RemoteAddr implements driver.Socket.
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// CloseWrite implements driver.Socket.
func (s *socket) CloseWrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		// What fails here has failed altogether, and reading finds it.
		_ = unix.Shutdown(s.fd, unix.SHUT_WR)
	}
}

// Close implements driver.Socket. The loop does it.
func (s *socket) Close() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.loop.note(s)
}

// look acts on what others have asked for.
func (s *socket) look() {
	s.mu.Lock()
	closing, paused, due := s.closing, s.paused, s.nextDue()
	s.mu.Unlock()
	if closing {
		s.endInput(net.ErrClosed)
		s.loop.close(s)
		return
	}
	if s.conn == nil || s.gone() {
		return
	}
	if s.timer == 0 || !due.Equal(s.due) {
		s.loop.timers.set(s, due)
	}
	switch {
	case !paused && s.unread:
		s.requeue()
	case paused && s.hangup:
		s.conn.Hangup()
	}
}

// nextDue returns the earlier of the two deadlines. It is called with mu held.
func (s *socket) nextDue() time.Time {
	if s.stuck.IsZero() || s.loop.driver.WriteTimeout <= 0 {
		return s.deadline
	}
	stuck := s.stuck.Add(s.loop.driver.WriteTimeout)
	if !s.deadline.IsZero() && s.deadline.Before(stuck) {
		return s.deadline
	}
	return stuck
}

// expire acts on a deadline that has come.
func (s *socket) expire(now time.Time) {
	s.mu.Lock()
	stuck := !s.stuck.IsZero() && !now.Before(s.stuck.Add(s.loop.driver.WriteTimeout))
	reading := !s.deadline.IsZero() && !now.Before(s.deadline)
	if reading {
		s.deadline = time.Time{}
	}
	if stuck {
		s.writing, s.stuck = true, time.Time{} // nobody writes any more
	}
	s.mu.Unlock()
	switch {
	case stuck:
		s.conn.Sent(0, os.ErrDeadlineExceeded)
	case reading:
		s.conn.Expire()
	}
	// What is due now was noted, or is the other deadline.
	s.loop.note(s)
}

// gone reports whether the descriptor is closed.
func (s *socket) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fd < 0
}

// close closes the descriptor. Whoever writes holds mu meanwhile, so nobody
// uses the number any more.
func (l *loop) close(s *socket) {
	s.mu.Lock()
	fd := s.fd
	s.fd = -1
	s.mu.Unlock()
	if fd < 0 {
		return
	}
	l.timers.clear(s)
	l.table.remove(s)
	// Epoll forgets a descriptor that is closed.
	_ = unix.Close(fd)
}

// registerFresh tells epoll of the new connections that are still there.
func (l *loop) registerFresh() {
	for i, s := range l.fresh {
		l.fresh[i] = nil
		if !s.gone() {
			l.register(s)
		}
	}
	l.fresh = l.fresh[:0]
}

// register tells epoll of a connection, once: edge by edge it says when there is
// something to read, when the socket takes bytes again, and when the peer closes.
func (l *loop) register(s *socket) {
	s.registered = true
	ev := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     s.slot, Pad: s.generation,
	}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, s.fd, &ev); err != nil {
		// Out of kernel memory: the connection can not go on.
		s.endInput(os.NewSyscallError("epoll_ctl", err))
		l.close(s)
	}
}

// event acts on an event of epoll's.
func (s *socket) event(events uint32) {
	const gone = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if events&gone != 0 {
		s.hangup = true
	}
	if events&unix.EPOLLOUT != 0 {
		s.writable()
	}
	if events&(unix.EPOLLIN|gone) != 0 {
		s.unread = true
		s.receive()
	}
}

// receive reads once, if reading is not paused.
func (s *socket) receive() {
	s.mu.Lock()
	fd, paused := s.fd, s.paused
	s.mu.Unlock()
	switch {
	case fd < 0 || s.inputEnded:
		return
	case paused:
		if s.hangup {
			s.conn.Hangup()
		}
		return
	}
	l := s.loop
	if l.buf == nil {
		l.buf = make([]byte, readSize)
	}
	n, err := unix.Read(fd, l.buf)
	switch {
	case err == unix.EAGAIN:
		s.unread = false
		return
	case err == unix.EINTR:
		s.requeue()
		return
	case err != nil:
		s.endInput(os.NewSyscallError("read", err))
		return
	case n == 0:
		s.endInput(io.EOF)
		return
	}
	// Less than asked for means that the socket is empty; but for the end,
	// which epoll has told of or will tell.
	s.unread = n == len(l.buf) || s.hangup
	s.conn.Receive(l.buf[:n])
	if s.unread {
		s.requeue()
	}
}

// requeue queues the connection for another turn.
func (s *socket) requeue() {
	if !s.queued {
		s.queued = true
		s.loop.ready = append(s.loop.ready, s)
	}
}

// endInput tells the connection that nothing more will be read, once.
func (s *socket) endInput(err error) {
	s.unread = false
	if !s.inputEnded && s.conn != nil {
		s.inputEnded = true
		s.conn.ReceiveEnd(err)
	}
}
