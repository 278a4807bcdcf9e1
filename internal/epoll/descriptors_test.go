//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// A failure is what AcceptFailed was told.
type failure struct {
	err  error
	rest time.Duration
}

// A recording acceptor notes failures.
type recording struct {
	accepting
	failures chan failure
}

// AcceptFailed implements driver.Acceptor.
func (r recording) AcceptFailed(err error, rest time.Duration) { r.failures <- failure{err, rest} }

// unconnected makes sockets in advance, for connections that are made when there are no descriptors.
func unconnected(t *testing.T, n int) []int {
	t.Helper()
	var fds []int
	for range n {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
	}
	return fds
}

// connect connects one of them, sends something, and gives it to package net.
func connect(t *testing.T, fd int, l net.Listener, text string) {
	t.Helper()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: l.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// F10: without descriptors accepting rests, for longer each time, and those who have connections are served; with the first
// descriptor that becomes free the next one is accepted, and with enough of them all are.
func TestF10Accept(t *testing.T) {
	alone(t, func(t *testing.T) {
		conns := make(chan *conn, 100)
		failures := make(chan failure, 1000)
		s := serve(t, oneLoop(), recording{accepting(func(s driver.Socket) driver.Conn {
			c := newConn(t, s)
			t.Cleanup(c.Close)
			conns <- c
			return c
		}), failures})
		peer := dial(t, s.l)
		first := receive(t, conns)
		waiting := unconnected(t, 3)
		relieve := exhaust(t, 0)
		for _, fd := range waiting {
			connect(t, fd, s.l, "waited")
		}
		for _, rest := range []time.Duration{5, 10, 20, 40} {
			expectFailure(t, failures, rest*time.Millisecond)
			io.WriteString(peer, "served")
			first.expectData("served")
		}
		first.Close() // which makes room for one
		receive(t, conns).expectData("waited")
		expectFailure(t, failures, 5*time.Millisecond)
		relieve()
		for range waiting[1:] {
			receive(t, conns).expectData("waited")
		}
		for _, fd := range waiting {
			unix.Close(fd)
		}
	})
}

// expectFailure waits for an EMFILE that has accepting rest for so long.
func expectFailure(t *testing.T, failures <-chan failure, rest time.Duration) {
	t.Helper()
	for {
		f := receive(t, failures)
		if !errors.Is(f.err, unix.EMFILE) {
			t.Errorf("accepting failed: %v", f.err)
		}
		if f.rest == rest {
			return
		}
	}
}

// F10: a loop that gets no epoll descriptor does what it was asked for as soon as there is one.
func TestF10EpollCreate(t *testing.T) {
	alone(t, func(t *testing.T) {
		dial(t, listenUnix(t)) // so that Go's poller has its descriptors
		before := takeInventory()
		d := &epoll.Driver{Loops: 1}
		posted := make(chan struct{}, 2)
		relieve := exhaust(t, 0)
		for range 2 {
			d.FirstLoop().Post(func() { posted <- struct{}{} })
		}
		if n := len(loopStates()); n > 0 {
			t.Errorf("there are %d loops without a descriptor", n)
		}
		relieve()
		for range 2 {
			receive(t, posted)
		}
		before.expect(t)
	})
}

// F10: so it is with listeners, whose connections wait.
func TestF10EpollCreateServe(t *testing.T) {
	alone(t, func(t *testing.T) {
		waiting := unconnected(t, 1)[0]
		l := listenUnix(t)
		relieve := exhaust(t, 1) // for a descriptor of the listener
		e := showOn(t, oneLoop(), l, nil)
		connect(t, waiting, l, "waited")
		expectExhausted(t)
		relieve()
		receive(t, e.conns).expectData("waited")
		unix.Close(waiting)
	})
}

// expectExhausted waits until the last descriptor is taken.
func expectExhausted(t *testing.T) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last descriptor is taken", func() bool {
		_, err := unix.FcntlInt(uintptr(limit.Cur-1), unix.F_GETFD, 0)
		return err == nil
	})
}
