package client_test

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// askable is a client that asks, of an application that answers the question with say and, if stay is true, leaves the
// connection open. It counts the questions and the connections that requests had.
func askable(t *testing.T, c *client.Client, say func(asked int) []byte, stay bool) (questions, conns *atomic.Int32) {
	questions, conns = new(atomic.Int32), new(atomic.Int32)
	c.Multiplex = client.MultiplexAsk
	pipeClient(t, c, func(a *fakeapp.Conn) {
		first := &firstRead{Conn: a.Conn}
		a.Conn = first
		r := a.Any()
		if first.is(protocol.TypeGetValues) {
			first.first = 0
			if a.Say(say(int(questions.Add(1)))); stay {
				a.AwaitClose()
			}
			return
		}
		conns.Add(1)
		for ; r != nil; r = a.Any() {
			// Answers come after a second, so that those asked at once are there together.
			go func(r *fakeapp.Request) {
				time.Sleep(time.Second)
				a.Say(r.Answer("ok"))
			}(r)
		}
	})
	return questions, conns
}

// A firstRead answers nothing by itself: it shows what the first record of a connection is. It ends the script that reads a
// question, which is no request.
type firstRead struct {
	net.Conn
	first protocol.RecordType
	any   bool // there was one
}

func (c *firstRead) is(t protocol.RecordType) bool { return c.first == t }

func (c *firstRead) Read(p []byte) (int, error) {
	if c.is(protocol.TypeGetValues) {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(p)
	if n >= protocol.HeaderLen && !c.any {
		c.first, c.any = protocol.ParseHeader(p).Type, true
	}
	return n, err
}

// C11: what an application says to the question, and whether requests then share connections. It is asked once, however many
// want to know at once.
func TestC11Ask(t *testing.T) {
	yes := result("FCGI_MPXS_CONNS", "1")
	for _, tt := range []struct {
		name  string
		say   []byte
		stay  bool
		conns int // for four requests at once
		after time.Duration
	}{
		{"yes", yes, true, 1, 0},
		{"yes, up to three requests", result("FCGI_MPXS_CONNS", "1", "FCGI_MAX_REQS", "3"), true, 2, 0},
		{"yes, up to four requests", result("FCGI_MPXS_CONNS", "1", "FCGI_MAX_REQS", "4"), true, 1, 0},
		{"yes, up to one request", result("FCGI_MPXS_CONNS", "1", "FCGI_MAX_REQS", "1"), true, 4, 0},
		{"yes, and no number", result("FCGI_MPXS_CONNS", "1", "FCGI_MAX_REQS", "x"), true, 1, 0},
		{"no", result("FCGI_MPXS_CONNS", "0"), true, 4, 0},
		{"nothing of it", result(), true, 4, 0},
		{"unknown type", protocol.AppendUnknownType(nil, protocol.TypeGetValues), true, 4, 0},
		{"closes", nil, false, 4, 0},
		{"silent", nil, true, 4, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &client.Client{KeepConn: true, MaxIdle: -1}
				questions, conns := askable(t, c, func(int) []byte { return tt.say }, tt.stay)
				defer c.Close()
				for round := range 2 {
					start := time.Now()
					var wg sync.WaitGroup
					for range 4 {
						wg.Go(func() { expect(t, c, get(), "ok") })
					}
					wg.Wait()
					want := time.Second
					if round == 0 {
						want += tt.after
					}
					if took := time.Since(start); took != want {
						t.Errorf("round %d took %v, want %v", round, took, want)
					}
				}
				if questions.Load() != 1 || int(conns.Load()) != tt.conns {
					t.Errorf("%d questions, %d connections; want one and %d", questions.Load(), conns.Load(), tt.conns)
				}
			})
		})
	}
}

// An application that cannot be reached is asked again by who comes next.
func TestAskNotReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{DialTimeout: time.Second}
		questions, conns := askable(t, c, func(int) []byte { return result("FCGI_MPXS_CONNS", "1") }, true)
		defer c.Close()
		awayUntil(c, 3*time.Second/2, dialError(syscall.ECONNREFUSED))
		if _, err := c.Do(t.Context(), get()); !errors.Is(err, syscall.ECONNREFUSED) || questions.Load() != 0 {
			t.Errorf("error %v after %d questions", err, questions.Load())
		}
		expect(t, c, get(), "ok")
		if questions.Load() != 1 || conns.Load() != 1 {
			t.Errorf("%d questions, %d connections", questions.Load(), conns.Load())
		}
	})
}

// An application that is restarted while it is asked has said nothing: the request goes alone, and the next one asks again.
func TestAskReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{KeepConn: true}
		questions, conns := askable(t, c, func(int) []byte { return result("FCGI_MPXS_CONNS", "1") }, true)
		defer c.Close()
		dial := c.Dial
		dialled := 0
		c.Dial = func(ctx context.Context) (net.Conn, error) {
			if dialled++; dialled == 1 {
				nc, _ := net.Pipe()
				return &resetConn{nc}, nil
			}
			return dial(ctx)
		}
		expect(t, c, get(), "ok")
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { expect(t, c, get(), "ok") })
		}
		all.Wait()
		if questions.Load() != 1 || conns.Load() != 2 {
			t.Errorf("asked %d times, %d connections: one alone, and one for the others", questions.Load(), conns.Load())
		}
	})
}

// A resetConn is one that was reset.
type resetConn struct{ net.Conn }

func (resetConn) Write(p []byte) (int, error) { return len(p), nil }
func (resetConn) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// The context of the request that asks may end while others wait for the answer: the next of them asks. Who waits can be given
// up as well.
func TestAskerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{}
		questions, _ := askable(t, c, func(n int) []byte {
			if n == 1 {
				return nil // silent
			}
			return result("FCGI_MPXS_CONNS", "1")
		}, true)
		defer c.Close()
		asker, cancelAsker := context.WithCancelCause(t.Context())
		waiter, cancelWaiter := context.WithCancelCause(t.Context())
		var errs [4]chan error
		for i, ctx := range []context.Context{asker, waiter, t.Context(), t.Context()} {
			errs[i] = make(chan error, 1)
			go func() { errs[i] <- do(ctx, c, get(), 0) }()
			synctest.Wait()
		}
		cancelWaiter(errWhy)
		if err := <-errs[1]; !errors.Is(err, errWhy) {
			t.Errorf("who waits: %v", err)
		}
		cancelAsker(errWhy)
		for i, want := range []error{errWhy, nil, nil, nil} {
			if i == 1 {
				continue
			}
			if err := <-errs[i]; !errors.Is(err, want) {
				t.Errorf("request %d: %v", i+1, err)
			}
		}
		if n := questions.Load(); n != 2 {
			t.Errorf("%d questions", n)
		}
	})
}

// Close ends the question.
func TestCloseWhileAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{}
		askable(t, c, func(int) []byte { return nil }, true)
		var errs [2]chan error
		for i := range errs {
			errs[i] = make(chan error, 1)
			go func() { errs[i] <- do(t.Context(), c, get(), 0) }()
			synctest.Wait()
		}
		start := time.Now()
		c.Close()
		for i := range errs {
			if err := <-errs[i]; !errors.Is(err, client.ErrClosed) || time.Since(start) != 0 {
				t.Errorf("request %d: %v after %v", i+1, err, time.Since(start))
			}
		}
	})
}
