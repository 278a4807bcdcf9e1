//go:build linux

package epoll

import (
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

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
	due        driver.Instant
	timer      int32 // place in loop.timers, from 1; 0: none
	slot       int32
	generation int32
	queued     bool // in loop.ready
	unread     bool // more may be there to read
	hangup     bool // the peer has closed its side
	inputEnded bool // ReceiveEnd was called

	// Guarded by loop.mu.
	dirty bool // in loop.changed

	// What others have asked for; the loop acts on it in its next turn.
	closing  atomic.Bool
	paused   atomic.Bool
	deadline atomic.Int64 // a driver.Instant

	mu       sync.Mutex
	fd       int32    // -1 once it is closed; only the loop changes it, so it may read it without mu
	interest uint32   // the events that epoll was asked for; 0: it does not know the socket
	pending  *backlog // what Send has left to the loop; nil: nothing
}

// SetDeadline implements driver.Socket.
func (s *socket) SetDeadline(t driver.Instant) {
	s.deadline.Store(int64(t))
	s.loop.markDirty(s)
}

// Pause implements driver.Socket.
func (s *socket) Pause() { s.setPaused(true) }

// Resume implements driver.Socket.
func (s *socket) Resume() { s.setPaused(false) }

func (s *socket) setPaused(paused bool) {
	s.paused.Store(paused)
	s.loop.markDirty(s)
}

// Post implements driver.Loop.
func (s *socket) Post(f func()) { s.loop.do(f) }

// RemoteAddr implements driver.Socket.
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// Cork implements driver.Socket.
func (s *socket) Cork() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 && s.remote.Network() == "tcp" {
		_ = unix.SetsockoptInt(int(s.fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1)
	}
}

// CloseWrite implements driver.Socket.
func (s *socket) CloseWrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		// What fails here has failed altogether, and reading finds it.
		_ = unix.Shutdown(int(s.fd), unix.SHUT_WR)
	}
}

// Close implements driver.Socket. The loop does it.
func (s *socket) Close() {
	s.closing.Store(true)
	s.loop.markDirty(s)
}

// applyChanges acts on what others have asked for.
func (s *socket) applyChanges() {
	if s.closing.Load() {
		defer s.loop.close(s)
		s.endInput(net.ErrClosed)
		return
	}
	if s.conn == nil || s.gone() {
		return
	}
	if due := s.nextDue(); s.timer == 0 || due != s.due {
		s.loop.timers.set(s, due)
	}
	switch paused := s.paused.Load(); {
	case !paused && s.unread:
		s.requeue()
	case paused && s.hangup && !s.inputEnded:
		s.conn.Hangup()
	}
}

// nextDue returns the earlier of the two deadlines: the connection's, and that of
// what is being written.
func (s *socket) nextDue() driver.Instant {
	s.mu.Lock()
	stall := s.stallDue()
	s.mu.Unlock()
	if s.inputEnded {
		return stall
	}
	return driver.Earlier(driver.Instant(s.deadline.Load()), stall)
}

// expire acts on a deadline that has come.
func (s *socket) expire(now driver.Instant) {
	// The other deadline, or the next one, has to be set.
	defer s.loop.markDirty(s)
	deadline := s.deadline.Load()
	switch {
	case s.stalled(now):
		s.sent(os.ErrDeadlineExceeded)
	case deadline != 0 && driver.Instant(deadline) <= now && !s.inputEnded:
		// Whoever sets another meanwhile has it.
		s.deadline.CompareAndSwap(deadline, 0)
		s.conn.Expire(now)
	}
}

// gone reports whether the descriptor is closed.
func (s *socket) gone() bool { return s.fd < 0 }

// close closes the descriptor. Whoever writes holds mu meanwhile, so nobody
// uses the number any more.
func (l *loop) close(s *socket) {
	if s.gone() {
		return
	}
	s.mu.Lock()
	fd, unsent := s.fd, s.pending != nil
	s.fd = -1
	s.mu.Unlock()
	l.timers.clear(s)
	l.table.remove(s)
	// Epoll forgets a descriptor that is closed.
	_ = unix.Close(int(fd))
	if unsent {
		s.sent(net.ErrClosed)
	}
}

// registerFresh tells epoll of the new connections that are still there.
func (l *loop) registerFresh() {
	for len(l.fresh) > 0 {
		last := len(l.fresh) - 1
		s := l.fresh[last]
		l.fresh[last] = nil
		l.fresh = l.fresh[:last]
		if !s.gone() {
			l.register(s)
		}
	}
}

// register tells epoll of a connection.
func (l *loop) register(s *socket) {
	s.mu.Lock()
	events := uint32(whenReadable)
	if s.pending != nil {
		events = whenWritable
	}
	err := s.watch(unix.EPOLL_CTL_ADD, events)
	s.mu.Unlock()
	if err != nil {
		// Out of kernel memory: the connection cannot go on.
		defer l.close(s)
		s.endInput(os.NewSyscallError("epoll_ctl", err))
	}
}

// What epoll is asked for, edge by edge: when there is something to read and when
// the peer closes; and, while something waits to be written, when the socket takes
// bytes. Asked for always, there would be such an event after every answer.
const (
	whenReadable = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET
	whenWritable = whenReadable | unix.EPOLLOUT
)

// watch asks epoll for events. It is called with mu held.
func (s *socket) watch(op int, events uint32) error {
	s.interest = events
	return unix.EpollCtl(s.loop.epoll, op, int(s.fd), &unix.EpollEvent{Events: events, Fd: s.slot, Pad: s.generation})
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
	switch {
	case s.gone() || s.inputEnded:
		return
	case s.closing.Load():
		s.applyChanges()
		return
	case s.paused.Load():
		if s.hangup {
			s.conn.Hangup()
		}
		return
	}
	l := s.loop
	if l.buf == nil {
		l.buf = make([]byte, readSize)
	}
	n, err := read(s.fd, l.buf)
	switch {
	case err == unix.EAGAIN:
		s.unread = false
		return
	case err == unix.EINTR:
		s.requeue()
		return
	case err != 0:
		s.endInput(os.NewSyscallError("read", err))
		return
	case n == 0:
		s.endInput(io.EOF)
		return
	}
	// Less than asked for means that nothing is left to read; but for the end,
	// for which there was an event, or will be.
	s.unread = n == len(l.buf) || s.hangup
	if s.unread {
		s.requeue() // now, for the callbacks may not come back
	}
	s.conn.Receive(l.buf[:n], l.now)
	if s.closing.Load() {
		// At once, while the kernel has it in the cache.
		s.applyChanges()
		return
	}
	if s.unread {
		// A handler that was waiting for a body has it in the cache now.
		runtime.Gosched()
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
