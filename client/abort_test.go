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
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// slowBody is a body of which the first piece is there, and the rest when more is closed.
type slowBody struct {
	first io.Reader
	more  chan struct{}
}

func newSlowBody() *slowBody {
	return &slowBody{strings.NewReader("first"), make(chan struct{})}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if n, err := b.first.Read(p); err == nil {
		return n, nil
	}
	<-b.more
	return 0, io.EOF
}

// A seekableBody is a slowBody that could be sent again.
type seekableBody struct{ *slowBody }

func (seekableBody) Seek(int64, int) (int64, error) { return 0, nil }

// C12: a request whose context ends is aborted, in every phase. Its place and its id are taken until the application has ended
// it; then the connection goes on.
func TestC12Abort(t *testing.T) {
	for name, tt := range map[string]struct {
		body bool   // goes on for ever
		said string // on STDOUT before the context ends
	}{
		"before the answer":              {},
		"in the answer":                  {said: "x"},
		"in the body":                    {body: true},
		"in the body and the answer":     {body: true, said: "x"},
		"in an answer that is held up":   {said: counting(4 * client.MaxBuffered)},
		"the same, and the body goes on": {said: counting(4 * client.MaxBuffered), body: true},
		"when what is buffered is full":  {said: counting(client.MaxBuffered)},
	} {
		t.Run(name, func(t *testing.T) {
			stageTest(t, &client.Client{MaxActivePerConn: 2}, func(t *testing.T, s *stage) {
				ctx, cancel := context.WithCancelCause(t.Context())
				req := named("a")
				body := newSlowBody()
				if tt.body {
					req.Stdin = body
				}
				done := make(chan error, 1)
				go func() {
					resp, err := s.c.Do(ctx, req)
					if err == nil {
						<-ctx.Done() // nobody reads before
						_, err = io.Copy(io.Discard, resp)
						resp.Close()
					}
					done <- err
				}()
				p := s.conn(1)
				a := p.begun("a")
				if tt.said != "" {
					go p.Say(a.Stdout(tt.said))
				}
				s.conn(1)
				cancel(errWhy)
				if err := <-done; !errors.Is(err, errWhy) {
					t.Errorf("error %v", err)
				}
				close(body.more)
				if s.conn(1); !a.Aborted {
					t.Error("ABORT_REQUEST has not come")
				}
				// One place is left.
				calls := s.askAll("b c")
				if got := s.conn(2).names(); got != "c" {
					t.Errorf("the second connection has %q", got)
				}
				p.Say(a.Stdout("late"), a.Stderr("late"), a.End(0, complete))
				s.conn(1) // the client has acted on that
				calls = append(calls, s.ask(named("d")))
				if s.conns() != 2 || p.request("d").ID == a.ID {
					t.Errorf("%d connections, d has id %d as a", s.conns(), a.ID)
				}
				p.answer("b")
				p.answer("d")
				s.conn(2).answer("c")
				for i, want := range []string{"b", "c", "d"} {
					calls[i].expect(want)
				}
			})
		})
	}
}

// C12: Close of a response does the same.
func TestC12CloseAborts(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		resp := s.open(named("a"), func() { s.conn(1).Say(s.conn(1).request("a").Stdout("x")) })
		other := s.ask(named("b"))
		resp.Close()
		p := s.conn(1)
		if a := p.request("a"); !a.Aborted {
			t.Error("ABORT_REQUEST has not come")
		}
		p.answer("b")
		other.expect("b")
	})
}

// An application that does not end what was aborted gets no further requests on the connection, which is closed when the others
// on it are over.
func TestAbortTimeout(t *testing.T) {
	for _, tt := range []struct {
		wait    time.Duration
		givenUp bool
	}{{client.AbortTimeout - 1, false}, {client.AbortTimeout, true}} {
		stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
			ctx, cancel := context.WithCancel(t.Context())
			s.askIn(ctx, named("a"))
			other := s.ask(named("b"))
			cancel()
			time.Sleep(tt.wait)
			p := s.conn(1)
			p.Say(p.request("a").End(0, complete))
			next := s.ask(named("next"))
			if want := map[bool]int{false: 1, true: 2}[tt.givenUp]; s.conns() != want {
				t.Errorf("%d connections after %v", s.conns(), tt.wait)
			}
			s.conn(s.conns()).answer("next")
			next.expect("next")
			if p.isClosed() {
				t.Error("closed under a request")
			}
			p.answer("b")
			other.expect("b")
			if got := p.isClosed(); got != tt.givenUp {
				t.Errorf("closed: %v after %v", got, tt.wait)
			}
		})
	}
}

// With nobody else on it, the connection is closed at once.
func TestAbortTimeoutAlone(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancel(t.Context())
		s.askIn(ctx, named("a"))
		cancel()
		p := s.conn(1)
		time.Sleep(client.AbortTimeout - 1)
		if p.isClosed() {
			t.Error("closed too early")
		}
		time.Sleep(time.Nanosecond)
		if !p.isClosed() {
			t.Error("not closed")
		}
	})
}

// A request is given up although the application takes nothing, and its body waits for room.
func TestAbortWhileNothingIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		c := &client.Client{Multiplex: client.MultiplexOn, Dial: func(context.Context) (net.Conn, error) { return here, nil }}
		defer c.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 1)
		go func() { errs <- do(ctx, c, post(strings.NewReader(strings.Repeat("x", 1<<20))), 0) }()
		time.Sleep(time.Second)
		cancel(errWhy)
		start := time.Now()
		if err := <-errs; !errors.Is(err, errWhy) || time.Since(start) != 0 {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	})
}

// Do does not wait for a Read of a body that nobody will send.
func TestRefusedWhileTheBodyIsRead(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		stageTestIn(t, m, &client.Client{}, func(t *testing.T, s *stage) {
			body := newSlowBody()
			req := named("a")
			req.Stdin = seekableBody{body}
			k := s.ask(req)
			p := s.conn(1)
			p.Say(p.begun("a").End(0, protocol.StatusUnknownRole))
			var refused *client.RefusedError
			if !k.isDone() || !errors.As(k.err, &refused) {
				t.Errorf("done %v: %v", k.isDone(), k.err)
			}
			close(body.more)
		})
	})
}
