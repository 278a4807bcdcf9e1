package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

var errWhy = errors.New("why it was cancelled")

// C12: cancelling closes the connection, wherever the request is, or has the application abort the request if others may be
// on it.
func TestC12Cancel(t *testing.T) { eachMode(t, testC12Cancel) }

func testC12Cancel(t *testing.T, m mode) {
	for name, script := range map[string]func(*fakeapp.Conn, *fakeapp.Request){
		"before the answer":     func(*fakeapp.Conn, *fakeapp.Request) {},
		"after some STDERR":     func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.Stderr("x")) },
		"after some STDOUT":     func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.Stdout("x")) },
		"with its buffers full": func(a *fakeapp.Conn, r *fakeapp.Request) { go a.Say(r.Stdout(strings.Repeat("x", 200000))) },
		"within END_REQUEST": func(a *fakeapp.Conn, r *fakeapp.Request) {
			end := protocol.AppendEndRequest(nil, r.ID, protocol.EndRequest{})
			a.Say(r.Stdout("x"), end[:12])
		},
	} {
		for _, keep := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					closed := make(chan error, 1)
					c := m.pipeClient(t, &client.Client{KeepConn: keep}, func(a *fakeapp.Conn) {
						r := a.Request()
						script(a, r)
						closed <- m.givenUp(a, r)
					})
					defer c.Close()
					ctx, cancel := context.WithCancelCause(t.Context())
					go func() {
						time.Sleep(time.Second)
						cancel(errWhy)
					}()
					req := get()
					req.Stderr = io.Discard
					if err := do(ctx, c, req, time.Minute); !errors.Is(err, errWhy) {
						t.Errorf("error %v", err)
					}
					if err := <-closed; err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// do does a request, waits, and reads the response to its end.
func do(ctx context.Context, c *client.Client, req *client.Request, wait time.Duration) error {
	resp, err := c.Do(ctx, req)
	if err != nil {
		return err
	}
	defer resp.Close()
	time.Sleep(wait)
	_, err = io.Copy(io.Discard, resp)
	return err
}

func TestC12CancelWhileSending(t *testing.T) { eachMode(t, testC12CancelWhileSending) }

func testC12CancelWhileSending(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{}, func(a *fakeapp.Conn) {
			a.Begin()
			time.Sleep(time.Minute) // STDIN waits in the pipe
		})
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := do(ctx, c, post(strings.NewReader("never taken")), 0)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestC12CancelBeforeAnything(t *testing.T) { eachMode(t, testC12CancelBeforeAnything) }

func testC12CancelBeforeAnything(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{}, func(*fakeapp.Conn) { t.Error("dialled") })
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errWhy)
	if _, err := c.Do(ctx, get()); !errors.Is(err, errWhy) {
		t.Errorf("error %v", err)
	}
}

func TestC12CancelWhileWaitingForAConnection(t *testing.T) {
	eachMode(t, testC12CancelWhileWaitingForAConnection)
}

func testC12CancelWhileWaitingForAConnection(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{MaxConns: 1, MaxActivePerConn: 1}, func(a *fakeapp.Conn) {
			a.Say(a.Request().Stdout("x"))
			a.AwaitClose()
		})
		defer c.Close()
		resp, err := c.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Close()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWhy)
		defer cancel()
		if _, err := c.Do(ctx, get()); !errors.Is(err, errWhy) {
			t.Errorf("error %v", err)
		}
	})
}

// slowDial dials for an hour or until its context is done.
func slowDial(ctx context.Context) (net.Conn, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Hour):
		return nil, errors.New("dialled for an hour")
	}
}

func TestDialDeadlines(t *testing.T) { eachMode(t, testDialDeadlines) }

func testDialDeadlines(t *testing.T, m mode) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		cancel  time.Duration
		after   time.Duration
		err     error
	}{
		{"default", 0, time.Hour, client.DefaultDialTimeout, context.DeadlineExceeded},
		{"DialTimeout", time.Second, time.Hour, time.Second, context.DeadlineExceeded},
		{"no limit", -1, 59 * time.Minute, 59 * time.Minute, errWhy},
		{"C12 cancelled", time.Second, time.Second / 2, time.Second / 2, errWhy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &client.Client{Multiplex: m.multiplex, Dial: slowDial, DialTimeout: tt.timeout, MaxConns: 1}
				for range 2 { // the place in the pool came back
					ctx, cancel := context.WithTimeoutCause(t.Context(), tt.cancel, errWhy)
					start := time.Now()
					_, err := c.Do(ctx, get())
					if !errors.Is(err, tt.err) || time.Since(start) != tt.after {
						t.Errorf("error %v after %v, want %v after %v", err, time.Since(start), tt.err, tt.after)
					}
					cancel()
				}
			})
		})
	}
}

// Close of a response that has not ended tells the application.
func TestResponseClose(t *testing.T) { eachMode(t, testResponseClose) }

func testResponseClose(t *testing.T, m mode) {
	closed := make(chan error, 1)
	c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
		r := a.Request()
		a.Say(r.Stdout("x"))
		closed <- m.givenUp(a, r)
	})
	resp, err := c.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	resp.Close()
	resp.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestClientClose(t *testing.T) { eachMode(t, testClientClose) }

func testClientClose(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{KeepConn: true, MaxConns: 2, MaxActivePerConn: 1}, func(a *fakeapp.Conn) {
			r := a.Request()
			if a.N == 1 {
				a.Say(r.Stdout("x"))
			}
			a.AwaitClose()
		})
		reading, err := c.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 3)
		go func() { errs <- do(t.Context(), c, get(), 0) }() // waits for an answer
		synctest.Wait()
		go func() { errs <- do(t.Context(), c, get(), 0) }() // waits for a connection
		synctest.Wait()
		c.Close()
		_, err = io.Copy(io.Discard, reading)
		errs <- err
		for range 3 {
			if err := <-errs; !errors.Is(err, client.ErrClosed) {
				t.Errorf("error %v", err)
			}
		}
		reading.Close()
		if _, err := c.Do(t.Context(), get()); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Do after Close: %v", err)
		}
		c.Close()
	})
}

// A connection that is still being made when the client closes is not kept.
func TestClientCloseWhileDialling(t *testing.T) { eachMode(t, testClientCloseWhileDialling) }

func testClientCloseWhileDialling(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		c := &client.Client{Multiplex: m.multiplex, Dial: func(context.Context) (net.Conn, error) {
			time.Sleep(time.Second)
			return here, nil
		}}
		errs := make(chan error)
		go func() { errs <- do(t.Context(), c, get(), 0) }()
		synctest.Wait()
		c.Close()
		if err := <-errs; !errors.Is(err, client.ErrClosed) {
			t.Errorf("error %v", err)
		}
		if _, err := there.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection is not closed: %v", err)
		}
	})
}

// What the caller gave for STDERR is not written to any more when the response
// has been given up.
func TestStderrIsLetGoOf(t *testing.T) { eachMode(t, testStderrIsLetGoOf) }

func testStderrIsLetGoOf(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{}, func(a *fakeapp.Conn) {
			r := a.Request()
			for range 1000 {
				a.Say(r.Stderr("x"))
			}
			m.givenUp(a, r)
		})
		defer c.Close()
		w := &slowWriter{}
		req := get()
		req.Stderr = w
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if _, err := c.Do(ctx, req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if w.busy {
			t.Error("Do returned during a Write")
		}
	})
}

type slowWriter struct{ busy bool }

func (w *slowWriter) Write(p []byte) (int, error) {
	w.busy = true
	time.Sleep(time.Second)
	w.busy = false
	return len(p), nil
}
