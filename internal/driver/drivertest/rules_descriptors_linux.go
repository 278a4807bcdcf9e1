package drivertest

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

var descriptorRules = []rule{
	// F10: without descriptors accepting pauses, for longer each time, and those who have connections are served; with the
	// first descriptor that becomes free the next one is accepted, and with enough of them all are.
	{"accepting pauses while there are no descriptors", func(network string) bool { return network == "unix" }, func(t *testing.T, p place) {
		Alone(t, func(t *testing.T) { acceptWithoutDescriptors(t, p) })
	}},
}

func acceptWithoutDescriptors(t *testing.T, p place) {
	s := &Server{t: t, Driver: p.newDriver(0), Listener: Listen(t, "unix"), Conns: make(chan *Conn, 100)}
	failures := make(chan failure, 1000)
	s.serve(failing{s, failures})
	first, peer := s.Open()
	waiting := Unconnected(t, 3)
	relieve := Exhaust(t, 0)
	for _, fd := range waiting {
		Connect(t, fd, s.Listener, "waited")
	}
	for _, delay := range []time.Duration{5, 10, 20, 40} {
		expectFailure(t, failures, delay*time.Millisecond)
		io.WriteString(peer, "served")
		first.ExpectData("served")
	}
	first.Close() // which makes room for one
	Take(t, s.Conns).ExpectData("waited")
	expectFailure(t, failures, 5*time.Millisecond)
	relieve()
	for range waiting[1:] {
		Take(t, s.Conns).ExpectData("waited")
	}
	for _, fd := range waiting {
		unix.Close(fd)
	}
}

// A failure is what AcceptFailed was told.
type failure struct {
	err   error
	delay time.Duration
}

// A failing acceptor notes failures.
type failing struct {
	driver.Acceptor
	failures chan failure
}

// AcceptFailed implements driver.Acceptor.
func (f failing) AcceptFailed(err error, delay time.Duration) { f.failures <- failure{err, delay} }

// expectFailure waits for an EMFILE that has accepting pause for so long.
func expectFailure(t *testing.T, failures <-chan failure, delay time.Duration) {
	t.Helper()
	for {
		f := Take(t, failures)
		if !errors.Is(f.err, unix.EMFILE) {
			t.Errorf("accepting failed: %v", f.err)
		}
		if f.delay == delay {
			return
		}
	}
}

// Unconnected makes sockets in advance, for connections that are made when there are no descriptors.
func Unconnected(t *testing.T, n int) []int {
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

// Connect connects one of them and sends something.
func Connect(t *testing.T, fd int, l net.Listener, text string) {
	t.Helper()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: l.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		t.Fatal(err)
	}
}
