package client_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/client"
)

// stageTest runs a test in a bubble, with an application that it plays itself and a client whose requests share connections.
func stageTest(t *testing.T, c *client.Client, test func(*testing.T, *stage)) {
	t.Helper()
	stageTestIn(t, shared, c, test)
}

// stageTestIn is stageTest for another mode.
func stageTestIn(t *testing.T, m mode, c *client.Client, test func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Multiplex = m.multiplex
		test(t, newStage(t, c))
	})
}

// Answers come in any order, and in pieces with those of others between them.
func TestMultiplexedAnyOrder(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		calls := s.askAll("a b c d")
		p := s.conn(1)
		if got := p.names(); got != "a b c d" || s.conns() != 1 {
			t.Errorf("requests %s on %d connections", got, s.conns())
		}
		p.answer("c")
		calls[2].expect("c")
		a, b := p.request("a"), p.request("b")
		p.Say(a.Stdout("a1"), b.Stdout("b1"), b.Stderr("trouble"), a.Stdout("a2"), b.Stdout("b2"), b.End(7, complete), a.Answer("a3"))
		calls[0].expect("a1a2a3")
		calls[1].expect("b1b2")
		if calls[1].end.AppStatus != 7 {
			t.Errorf("appStatus %d", calls[1].end.AppStatus)
		}
		if calls[3].isDone() {
			t.Error("d has an answer")
		}
		p.answer("d")
		calls[3].expect("d")
	})
}

// There are as many requests on a connection as there may be, and the next connection is made only then.
func TestMaxActivePerConn(t *testing.T) {
	for _, tt := range []struct{ most, requests, conns int }{
		{0, client.DefaultMaxActivePerConn - 1, 1},
		{0, client.DefaultMaxActivePerConn, 1},
		{0, client.DefaultMaxActivePerConn + 1, 2},
		{1, 3, 3},
		{3, 2, 1},
		{3, 3, 1},
		{3, 4, 2},
		{3, 7, 3},
		{-1, 100, 1},
	} {
		t.Run(fmt.Sprintf("%d of %d", tt.requests, tt.most), func(t *testing.T) {
			stageTest(t, &client.Client{MaxActivePerConn: tt.most}, func(t *testing.T, s *stage) {
				var calls []*call
				for i := range tt.requests {
					calls = append(calls, s.ask(named(fmt.Sprint(i))))
				}
				if n := s.conns(); n != tt.conns {
					t.Errorf("%d connections, want %d", n, tt.conns)
				}
				for n := 1; n <= s.conns(); n++ {
					p := s.conn(n)
					for _, r := range p.arrived {
						p.answer(r.Params["NAME"])
					}
				}
				for i, k := range calls {
					k.expect(fmt.Sprint(i))
				}
			})
		})
	}
}
