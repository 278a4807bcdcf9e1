package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// Ids go round, and those that are active are left out: also that of a request that was aborted and has not been ended.
func TestC5IDsGoRound(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancel(t.Context())
		s.askIn(ctx, named("aborted"))
		calls := s.askAll("active")
		cancel()
		p := s.conn(1)
		s.c.SkipIDs(1<<16 - 2)
		calls = append(calls, s.askAll("a b c")...)
		for name, want := range map[string]uint16{"aborted": 1, "active": 2, "a": 1<<16 - 1, "b": 3, "c": 4} {
			if got := p.request(name).ID; got != want {
				t.Errorf("%s has id %d, want %d", name, got, want)
			}
		}
		p.Say(p.request("aborted").End(0, complete))
		s.c.SkipIDs(0)
		calls = append(calls, s.ask(named("d")))
		if got := p.request("d").ID; got != 1 {
			t.Errorf("an id that is free again is not used: %d", got)
		}
		for i, name := range []string{"active", "a", "b", "c", "d"} {
			p.answer(name)
			calls[i].expect(name)
		}
	})
}

// A waitingConn counts Writes and Reads that carry something, and has the first Write wait.
type waitingConn struct {
	net.Conn
	writes, reads atomic.Int32
	proceed       chan struct{}
}

func (c *waitingConn) Write(p []byte) (int, error) {
	if c.writes.Add(1) == 1 {
		<-c.proceed
	}
	return c.Conn.Write(p)
}

func (c *waitingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.reads.Add(1)
	}
	return n, err
}

// Requests that are asked while another is written travel together, as do answers that come together.
func TestOneWriteForSeveralRequests(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		nc := &waitingConn{proceed: make(chan struct{})}
		s.c.Dial = func(ctx context.Context) (net.Conn, error) {
			var err error
			nc.Conn, err = s.dial(ctx)
			return nc, err
		}
		const n = 20
		var calls []*call
		for i := range n {
			calls = append(calls, s.ask(named(fmt.Sprint(i))))
		}
		close(nc.proceed)
		p := s.conn(1)
		var answers []byte
		for i := range n {
			answers = append(answers, p.request(fmt.Sprint(i)).Answer(fmt.Sprint(i))...)
		}
		if got := nc.writes.Load(); got != 2 {
			t.Errorf("%d writes for %d requests, want the first and one for the others", got, n)
		}
		p.Say(answers)
		for i, k := range calls {
			k.expect(fmt.Sprint(i))
		}
		if got := nc.reads.Load(); got != 1 {
			t.Errorf("%d reads for %d answers", got, n)
		}
	})
}

// C14: with all places of all connections taken, requests wait, and have the next that is free in the order in which they came.
func TestC14SharedPlaces(t *testing.T) {
	stageTest(t, &client.Client{MaxConns: 2, MaxActivePerConn: 2}, func(t *testing.T, s *stage) {
		calls := s.askAll("a b c d e")
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := s.askIn(ctx, named("gone"))
		calls = append(calls, s.askAll("f g")...)
		cancel(errWhy)
		if !gone.isDone() || !errors.Is(gone.err, errWhy) {
			t.Errorf("who waits cannot go: %v", gone.err)
		}
		one, two := s.conn(1), s.conn(2)
		for _, step := range []struct {
			conn     *peer
			name     string
			one, two string
		}{
			{nil, "", "a b", "c d"},
			{two, "d", "a b", "c d e"},
			{one, "a", "a b f", "c d e"},
			{one, "f", "a b f g", "c d e"},
		} {
			if step.conn != nil {
				step.conn.answer(step.name)
			}
			if one.names() != step.one || two.names() != step.two || s.conns() != 2 {
				t.Errorf("after %q: %q and %q on %d connections", step.name, one.names(), two.names(), s.conns())
			}
		}
		s.answerAll()
		for i, name := range strings.Fields("a b c d e f g") {
			calls[i].expect(name)
		}
	})
}

// Close ends all, in whatever state: those that are answered, sent, held up, on disk, aborted, or that wait for a place.
func TestCloseWithEverythingInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{Multiplex: client.MultiplexOn, MaxActivePerConn: 5, MaxConns: 1}
		s := newStage(t, c)
		d := newDisk()
		c.SetSpool(d.create)
		spooled := s.open(named("spooled"), func() { s.conn(1).Say(s.conn(1).request("spooled").Stdout("x")) })
		body := newSlowBody()
		sending := named("sending")
		sending.Stdin = body
		calls := []*call{s.ask(sending), s.ask(named("silent"))}
		ctx, cancel := context.WithCancel(t.Context())
		aborted := s.askIn(ctx, named("aborted"))
		cancel()
		p := s.conn(1)
		p.Say(p.request("spooled").Stdout(counting(1 << 20)))
		half := s.ask(named("half"))
		p.Say(p.request("half").Stdout("half"))
		calls = append(calls, half, s.ask(named("waits")), s.ask(named("waits too")))
		start := time.Now()
		c.Close()
		for i, k := range calls {
			if !k.isDone() || !strings.Contains(fmt.Sprint(k.err), client.ErrClosed.Error()) {
				t.Errorf("request %d: %v", i, k.err)
			}
		}
		if !aborted.isDone() || time.Since(start) != 0 || !p.isClosed() {
			t.Error("Close left something")
		}
		// What had arrived can still be read.
		if n, err := io.Copy(io.Discard, spooled); n != 1<<20+1 || err == nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		spooled.Close()
		close(body.more)
		if n := d.open(); n != 0 {
			t.Errorf("%d files are left", n)
		}
	})
}
