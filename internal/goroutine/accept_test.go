package goroutine_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/goroutine"
)

// A script is a listener whose Accept returns what it says, in this order, each time a connection or an error.
type script struct {
	net.Listener
	steps []any
}

// Accept implements net.Listener.
func (s *script) Accept() (net.Conn, error) {
	step := s.steps[0]
	s.steps = s.steps[1:]
	if err, ok := step.(error); ok {
		return nil, err
	}
	return step.(net.Conn), nil
}

// A diary is an Acceptor that refuses all, and notes when it was told what.
type diary struct {
	began  time.Time
	told   []time.Duration // when AcceptFailed came
	delays []time.Duration
}

// Accept implements driver.Acceptor.
func (*diary) Accept(driver.Socket) driver.Conn { return nil }

// AcceptFailed implements driver.Acceptor.
func (d *diary) AcceptFailed(_ error, delay time.Duration) {
	d.told = append(d.told, time.Since(d.began))
	d.delays = append(d.delays, delay)
}

// Accepting is tried again after an error that may pass, when AcceptFailed says, and Serve returns one that does not.
func TestAcceptBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		final := errors.New("no more")
		l := &script{steps: []any{syscall.EMFILE, syscall.EMFILE, theirs, syscall.ENFILE, final}}
		d := &diary{began: time.Now()}
		if err := new(goroutine.Driver).Serve(l, d); err != final {
			t.Errorf("Serve returned %v", err)
		}
		const ms = time.Millisecond
		if want := []time.Duration{0, 5 * ms, 15 * ms}; !slices.Equal(d.told, want) {
			t.Errorf("AcceptFailed came at %v, want %v", d.told, want)
		}
		if want := []time.Duration{5 * ms, 10 * ms, 5 * ms}; !slices.Equal(d.delays, want) {
			t.Errorf("AcceptFailed was told %v, want %v", d.delays, want)
		}
		if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the refused connection is not closed: %v", err)
		}
	})
}

// A connection that Accept wraps is read and written through what it is wrapped in, descriptor or not.
func TestWrappedConn(t *testing.T) {
	l := drivertest.Listen(t, "unix")
	s := drivertest.Serve(t, newDriver(0), wrapping{l}, nil)
	peer := drivertest.Dial(t, l)
	c := drivertest.Take(t, s.Conns)
	io.WriteString(peer, "hello")
	c.ExpectData("HELLO")
	c.MustWrite([]byte("good day"))
	drivertest.ExpectRead(t, peer, "GOOD DAY")
}

// A wrapping listener has connections that shout.
type wrapping struct{ net.Listener }

// Accept implements net.Listener.
func (l wrapping) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return shouting{nc.(*net.UnixConn)}, nil
}

// A shouting connection turns what passes into capitals, and has all methods of what it wraps.
type shouting struct{ *net.UnixConn }

func (s shouting) Read(p []byte) (int, error) {
	n, err := s.UnixConn.Read(p)
	return copy(p, upper(p[:n])), err
}

func (s shouting) Write(p []byte) (int, error) { return s.UnixConn.Write(upper(p)) }

func upper(p []byte) []byte {
	q := slices.Clone(p)
	for i, b := range q {
		if 'a' <= b && b <= 'z' {
			q[i] -= 'a' - 'A'
		}
	}
	return q
}
