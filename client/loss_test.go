package client_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// X3: when a shared connection is lost, each request on it that may be repeated is, on a connection that was made afterwards,
// and there are no more of these than needed.
func TestX3SharedConnLost(t *testing.T) {
	for _, tt := range []struct{ most, requests, conns int }{
		{32, 20, 2},
		{32, 32, 2},
		{10, 20, 4}, // two of ten each are lost
	} {
		t.Run(fmt.Sprintf("%d of %d", tt.requests, tt.most), func(t *testing.T) {
			stageTest(t, &client.Client{MaxActivePerConn: tt.most}, func(t *testing.T, s *stage) {
				s.warmUp((tt.requests + tt.most - 1) / tt.most)
				var calls []*call
				for i := range tt.requests {
					calls = append(calls, s.ask(named(fmt.Sprint(i))))
				}
				before := s.conns()
				for n := 1; n <= before; n++ {
					s.conn(n).die()
				}
				if n := s.conns(); n != tt.conns {
					t.Errorf("%d connections were made, want %d", n, tt.conns)
				}
				s.answerAll()
				for i, k := range calls {
					k.expect(fmt.Sprint(i))
				}
			})
		})
	}
}

// warmUp makes n connections, on which a request was answered each.
func (s *stage) warmUp(n int) {
	var calls []*call
	for len(calls) == 0 || s.conns() < n {
		calls = append(calls, s.ask(named(fmt.Sprintf("warm%d", len(calls)))))
	}
	s.answerAll()
	for _, k := range calls {
		if k.isDone(); k.err != nil {
			s.t.Error(k.err)
		}
	}
}

// F16: of those on a lost connection, what has had a part of its answer, or may not be repeated, fails.
func TestF16SharedConnLost(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		s.warmUp(1)
		again := s.ask(named("again"))
		answered := s.ask(named("answered"))
		posted := s.ask(post(strings.NewReader("body")))
		p := s.conn(1)
		p.Say(p.request("answered").Stdout("x"))
		p.die()
		for _, k := range []*call{answered, posted} {
			if !k.isDone() || !errors.Is(k.err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v", k.err)
			}
		}
		s.conn(2).answer("again")
		again.expect("again")
	})
}

// A request that kills the application is not sent again and again because it meets others on each new connection.
func TestF16PoisonIsRepeatedOnce(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		s.warmUp(1)
		calls := s.askAll("poison innocent")
		for n := 1; n <= s.conns(); n++ {
			s.conn(n).die()
		}
		if n := s.conns(); n > 4 { // the second, and one for each
			t.Errorf("%d connections", n)
		}
		for _, k := range calls {
			if !k.isDone() || !errors.Is(k.err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v", k.err)
			}
		}
	})
}

// C10: a request that the application takes back, because there are others on the connection, is sent on another, with its
// body; the first gets no more than it has taken.
func TestC10TakenBack(t *testing.T) {
	for _, status := range []protocol.Status{protocol.StatusOverloaded, protocol.StatusCantMultiplex} {
		t.Run(status.String(), func(t *testing.T) {
			stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
				calls := s.askAll("a b")
				req := named("c")
				req.Params[0].Value = "POST"
				req.Stdin = strings.NewReader("body")
				calls = append(calls, s.ask(req))
				p := s.conn(1)
				p.Say(p.request("c").End(0, status))
				r := s.conn(2).request("c")
				if r.Stdin != "body" {
					t.Errorf("sent again with %q", r.Stdin)
				}
				calls = append(calls, s.ask(named("d")))
				want := "c d"
				if status == protocol.StatusCantMultiplex {
					want = "c" // one at a time from now on
				}
				if got := s.conn(2).names(); got != want {
					t.Errorf("the second connection has %q, want %q", got, want)
				}
				p.answer("a")
				calls = append(calls, s.ask(named("e")), s.ask(named("f")))
				if got := p.names(); status == protocol.StatusOverloaded && got != "a b c e" {
					t.Errorf("the first connection has had %q: its limit is two", got)
				} else if status == protocol.StatusCantMultiplex && got != "a b c" {
					t.Errorf("the first connection has had %q: it is not used any more", got)
				}
				s.answerAll()
				for i, k := range calls {
					k.expect([]string{"a", "b", "c", "d", "e", "f"}[i])
				}
			})
		})
	}
}

// C10: a body that cannot be had again is not sent again, and neither is a request that was refused alone.
func TestC10NotAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		body  io.Reader
		alone bool
	}{
		"body":  {body: io.LimitReader(strings.NewReader("body"), 4)},
		"alone": {alone: true},
	} {
		t.Run(name, func(t *testing.T) {
			stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
				if !tt.alone {
					s.ask(named("other"))
				}
				req := named("a")
				req.Stdin = tt.body
				k := s.ask(req)
				p := s.conn(1)
				p.Say(p.request("a").End(0, protocol.StatusOverloaded))
				var refused *client.RefusedError
				if !k.isDone() || !errors.As(k.err, &refused) || s.conns() != 1 {
					t.Errorf("error %v, %d connections", k.err, s.conns())
				}
			})
		})
	}
}

// C10: those who wait for a connection to share when the application says that there is no such thing have one each.
func TestC10WaitersLearn(t *testing.T) {
	stageTest(t, &client.Client{MaxActivePerConn: 2, MaxConns: 3}, func(t *testing.T, s *stage) {
		calls := s.askAll("a b c d e f g h")
		p := s.conn(1)
		p.Say(p.request("b").End(0, protocol.StatusCantMultiplex))
		for s.conn(1); ; {
			n := s.conns()
			s.answerAll()
			if s.conns() == n {
				break
			}
		}
		for i, k := range calls {
			k.expect(string(rune('a' + i)))
		}
		for n := 4; n <= s.conns(); n++ {
			if got := s.conn(n).atOnce; got > 1 {
				t.Errorf("%d requests at once on connection %d", got, n)
			}
		}
	})
}
