//go:build linux

package epoll

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// A source is a listener as the loops see it.
type source struct {
	// Immutable.
	fd       int
	network  string
	guard    *listen.Guard
	acceptor driver.Acceptor
	failed   chan error // the loops -> Serve: accepting fails for good
}

// fail has Serve return err, if no other loop did so before.
func (s *source) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// listen begins to accept from src.
func (l *loop) listen(src *source) {
	i := slices.Index(l.sources, nil)
	if i < 0 {
		i = len(l.sources)
		l.sources = append(l.sources, nil)
	}
	l.sources[i] = src
	l.watch(src, i)
}

// watch has epoll wake one of the loops for each new connection.
func (l *loop) watch(src *source, i int) {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLEXCLUSIVE, Fd: ^int32(i)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, src.fd, &ev); err != nil {
		l.pauseAccept(src, os.NewSyscallError("epoll_ctl", err))
	}
}

// unlisten ends that.
func (l *loop) unlisten(src *source) {
	i := slices.Index(l.sources, src)
	l.sources[i] = nil
	// It fails while accepting pauses.
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, src.fd, nil)
	for len(l.sources) > 0 && l.sources[len(l.sources)-1] == nil {
		l.sources = l.sources[:len(l.sources)-1]
	}
}

// acceptBatch is how many connections are accepted in one turn: enough to keep
// up, and few enough for other loops to get some and for open connections to have
// their turn.
const acceptBatch = 16

// accept takes new connections and reads from them at once: most have their
// request sent already.
func (l *loop) accept(src *source) {
	if src == nil {
		return
	}
	for range acceptBatch {
		fd, err := accept4(src.fd, &l.peer)
		switch err {
		case 0:
			l.backoff.Reset()
			l.newConn(src, fd)
		case unix.EAGAIN:
			return
		case unix.ECONNABORTED, unix.EINTR:
			// About that one connection.
		default:
			l.pauseAccept(src, os.NewSyscallError("accept4", err))
			return
		}
	}
}

// pauseAccept stops accepting: for a while after an error such as EMFILE, and after
// one that will not pass for good, which ends Serve.
func (l *loop) pauseAccept(src *source, err error) {
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, src.fd, nil)
	delay, again := l.backoff.Next(err)
	if !again {
		src.fail(err)
		return
	}
	src.acceptor.AcceptFailed(err, delay)
	time.AfterFunc(delay, func() {
		l.do(func() {
			if i := slices.Index(l.sources, src); i >= 0 {
				l.watch(src, i)
			}
		})
	})
}

// newConn makes the socket of a new connection.
func (l *loop) newConn(src *source, fd int32) {
	s := &socket{loop: l, fd: fd, remote: l.peer.addr()}
	if err := src.guard.Check(s.remote, uintptr(fd)); err != nil {
		unix.Close(int(fd))
		src.guard.Report(s.remote, err)
		return
	}
	if src.network == "tcp" {
		// As package net does it: answers are whole, so waiting for more
		// would only delay them.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	}
	l.table.add(s)
	if s.conn = src.acceptor.Accept(s); s.conn == nil {
		l.close(s)
		return
	}
	l.fresh = append(l.fresh, s)
	s.receive()
}
