//go:build unix

package client_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// X7: while the application restarts, or its queue is full, requests wait for it, as long as DialTimeout.
func TestX7AwayForAMoment(t *testing.T) { eachMode(t, testX7AwayForAMoment) }

func testX7AwayForAMoment(t *testing.T, m mode) {
	refused := dialError(syscall.ECONNREFUSED)
	const pause = 100 * time.Millisecond // the longest between two tries
	for _, tt := range []struct {
		name    string
		err     error
		timeout time.Duration
		away    time.Duration
		after   time.Duration // when the error comes; 0 if there is none
	}{
		{"nobody listens", refused, 0, time.Second, 0},
		{"no socket file", dialError(syscall.ENOENT), 0, time.Second, 0},
		{"queue full", dialError(syscall.EAGAIN), 0, time.Second, 0},
		{"queue given up", dialError(syscall.ECONNRESET), 0, time.Second, 0},
		{"default, in time", refused, 0, client.DefaultDialTimeout - pause, 0},
		{"default, too late", refused, 0, client.DefaultDialTimeout, client.DefaultDialTimeout},
		{"in time", refused, time.Second, time.Second - pause, 0},
		{"too late", refused, time.Second, time.Second, time.Second},
		{"for longer", refused, time.Second, time.Hour, time.Second},
		{"shorter than a pause", refused, time.Millisecond, time.Hour, time.Millisecond},
		{"no limit", refused, -1, time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := m.pipeClient(t, &client.Client{DialTimeout: tt.timeout}, number)
				defer c.Close()
				awayUntil(c, tt.away, tt.err)
				start := time.Now()
				got, _, err := answer(t, c, get())
				switch took := time.Since(start); {
				case tt.after == 0 && (err != nil || got != "1" || took > tt.away+pause):
					t.Errorf("answer %q, %v after %v", got, err, took)
				case tt.after > 0 && (!errors.Is(err, tt.err) || took != tt.after):
					t.Errorf("error %v after %v, want %v after %v", err, took, tt.err, tt.after)
				}
			})
		})
	}
}

// X7: what does not pass by itself is told at once.
func TestX7NotAway(t *testing.T) { eachMode(t, testX7NotAway) }

func testX7NotAway(t *testing.T, m mode) {
	for name, err := range map[string]error{
		"forbidden":     dialError(syscall.EACCES),
		"no such host":  &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}},
		"none of net's": syscall.ENOENT,
	} {
		c := m.pipeClient(t, &client.Client{}, number)
		tries := awayUntil(c, time.Hour, err)
		if _, doErr := c.Do(t.Context(), get()); !errors.Is(doErr, err) || *tries != 1 {
			t.Errorf("%s: %v after %d tries", name, doErr, *tries)
		}
	}
}

// X7: a last try that nobody answers does not hide why there were several.
func TestX7TimeoutInTheLastTry(t *testing.T) { eachMode(t, testX7TimeoutInTheLastTry) }

func testX7TimeoutInTheLastTry(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{Multiplex: m.multiplex, DialTimeout: time.Second, Dial: slowDial}
		awayUntil(c, time.Second/2, dialError(syscall.ECONNREFUSED))
		start := time.Now()
		if _, err := c.Do(t.Context(), get()); !errors.Is(err, syscall.ECONNREFUSED) || time.Since(start) != time.Second {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	})
}

// X7: a request that waits for the application holds no place, can be given up, and does not outlive its client.
func TestX7WaitingEnds(t *testing.T) { eachMode(t, testX7WaitingEnds) }

func testX7WaitingEnds(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{MaxConns: 1, DialTimeout: time.Minute}, number)
		awayUntil(c, time.Hour, dialError(syscall.EAGAIN))
		ctx, cancel := context.WithCancelCause(t.Context())
		var errs [3]chan error
		for i, ctx := range []context.Context{ctx, t.Context(), t.Context()} {
			errs[i] = make(chan error, 1)
			go func() { errs[i] <- do(ctx, c, get(), 0) }()
			time.Sleep(time.Second)
		}
		cancel(errWhy)
		if err := <-errs[0]; !errors.Is(err, errWhy) {
			t.Errorf("cancelled: %v", err)
		}
		start := time.Now()
		if err := <-errs[1]; !errors.Is(err, syscall.EAGAIN) || time.Since(start) != 58*time.Second {
			t.Errorf("the second: %v after %v", err, time.Since(start))
		}
		c.Close()
		if err := <-errs[2]; !errors.Is(err, client.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// X7: so does the question for values wait.
func TestX7GetValues(t *testing.T) { eachMode(t, testX7GetValues) }

func testX7GetValues(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{}, func(*fakeapp.Conn) {})
		tries := awayUntil(c, time.Second, dialError(syscall.ECONNREFUSED))
		if _, err := c.GetValues(t.Context()); !errors.Is(err, client.ErrNoValues) || *tries < 2 {
			t.Errorf("%v after %d tries", err, *tries)
		}
	})
}

// X7: an application that removes its socket and listens anew, as the system shows it.
func TestX7Restart(t *testing.T) { eachMode(t, testX7Restart) }

func testX7Restart(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{KeepConn: true}, number)
	expect(t, c, get(), "1")
	c.CloseIdle()
	path := filepath.Join(t.TempDir(), "moved.sock")
	there := c.Addr[len("unix:"):]
	if err := os.Rename(there, path); err != nil {
		t.Fatal(err)
	}
	tried := make(chan struct{}, 1)
	c.Dial = func(ctx context.Context) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "unix", there)
		if err != nil {
			select {
			case tried <- struct{}{}:
			default:
			}
		}
		return nc, err
	}
	go func() {
		<-tried
		if err := os.Rename(path, there); err != nil {
			t.Error(err)
		}
	}()
	expect(t, c, get(), "2")
}
