//go:build unix

package fastcgi_test

import (
	"errors"
	"net"
	"os"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A failingListener fails as often as it is told to.
type failingListener struct {
	*pipeListener
	errors   []error // to fail with next; nil for a connection
	attempts []time.Time
}

func (l *failingListener) Accept() (net.Conn, error) {
	l.attempts = append(l.attempts, time.Now())
	if len(l.errors) == 0 {
		return l.pipeListener.Accept()
	}
	err := l.errors[0]
	l.errors = l.errors[1:]
	if err == nil {
		return l.pipeListener.Accept()
	}
	return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", err)}
}

// F10: when accepting fails it rests, from 5 ms doubling up to 1 s, and starts anew after it has worked.
func TestF10Backoff(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS} {
		t.Run(errno.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &failingListener{pipeListener: inBubble.listen(t).(*pipeListener)}
				l.errors = append(slices.Repeat([]error{errno}, 10), nil, errno)
				a := inBubble.serveOn(t, &fastcgi.Server{Handler: hello}, l)
				for range 2 {
					a.dialPipe(t, l.pipeListener).ask(1).expect(t, "hello")
				}
				synctest.Wait()
				want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 0, 5, 0}
				if got := gaps(l.attempts); !slices.Equal(got, want) {
					t.Errorf("between the attempts are %v ms, want %v", got, want)
				}
				a.log.expect(t, "cannot accept connections", errno.Error(), "retry_in=1s")
			})
		})
	}
}

func (a *app) dialPipe(t *testing.T, l *pipeListener) *web {
	t.Helper()
	conn, err := l.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return newWeb(t, conn)
}

// gaps are the times between times, in milliseconds.
func gaps(times []time.Time) (gaps []time.Duration) {
	for i, at := range times[1:] {
		gaps = append(gaps, at.Sub(times[i])/time.Millisecond)
	}
	return gaps
}

// F10: an error that will not pass ends Serve, whose connections go on.
func TestF10PermanentError(t *testing.T) {
	on(t, func(t *testing.T, p place) {
		srv := &fastcgi.Server{Handler: hello, Driver: p.driver.name}
		l := p.listen(t)
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		w := newWeb(t, conn)
		w.ask(1).expect(t, "hello")
		fd, _ := listen.Fd(l)
		syscall.Shutdown(int(fd), syscall.SHUT_RDWR) // as another process can that has the socket
		if err := receive(t, served); !errors.Is(err, syscall.EINVAL) || errors.Is(err, fastcgi.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
		w.ask(1).expect(t, "hello")
		srv.Close()
		w.expectClosed()
	}, "tcp")
}

// F10: out of descriptors a server goes on with the connections that it has, rests between attempts, and accepts the
// others as soon as it can.
func TestF10OutOfDescriptors(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		started := time.Now()
		c := child{script: `ulimit -n 40; exec "$0"`}.passing(t, p)
		var webs []*web
		for range 60 {
			w := c.dial(t)
			w.send(get(1, true))
			webs = append(webs, w)
		}
		c.log.expect(t, "cannot accept connections", "too many open files", "retry_in=5ms")
		c.log.expect(t, "retry_in=80ms")
		webs[0].answer(1).expect(t, "hello")
		webs[0].ask(1).expect(t, "hello")
		for _, w := range webs[1:] {
			webs[0].ask(1).expect(t, "hello")
			w.answer(1).expect(t, "hello")
			w.Close() // which makes room
		}
		// Each rest was as long as announced, or the attempts would have taken less time than their rests.
		loops := time.Duration(runtime.NumCPU())
		if rests, elapsed := announced(t, c.log.String()), time.Since(started); rests > loops*(elapsed+time.Second) {
			t.Errorf("rests of %v in %v", rests, elapsed)
		}
		c.signal(t, syscall.SIGTERM)
		webs[0].expectEOF()
		c.expectExit(t, 0)
	})
}

// announced adds up the rests in a log.
func announced(t *testing.T, log string) (sum time.Duration) {
	for _, m := range regexp.MustCompile(`retry_in=(\S+)`).FindAllStringSubmatch(log, -1) {
		d, err := time.ParseDuration(m[1])
		if err != nil {
			t.Error(err)
		}
		sum += d
	}
	return sum
}

// MaxConns: at the limit, one below, one above, and beyond those that are told so; and when they go, there is as much
// room as before.
func TestMaxConnsFreesUp(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		const limit, refusals = 3, 100
		a := p.serve(t, &fastcgi.Server{Handler: hello, MaxConns: limit})
		for range 2 {
			var webs []*web
			open := func() *web {
				w := a.dial(t)
				webs = append(webs, w)
				return w
			}
			for range limit {
				open().ask(1).expect(t, "hello")
			}
			for range refusals {
				open().manage(question()) // which is answered; but for requests there is no room
			}
			open().expectClosed()
			webs[limit].ask(1).expectRefused(t, protocol.StatusOverloaded)
			webs[limit].expectEOF()
			webs[limit-1].ask(1).expect(t, "hello")
			for _, w := range webs {
				w.Close()
			}
			eventually(t, "all connections are closed", func() bool { return a.Stats().OpenConns == 0 })
		}
	})
}
