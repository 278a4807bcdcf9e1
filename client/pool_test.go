package client_test

import (
	"fmt"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
)

// A connection is used for no more than MaxRequestsPerConn, however many come at once.
func TestMaxRequestsPerConn(t *testing.T) {
	for _, tt := range []struct{ most, atOnce, conns int }{
		{1, 3, 3},
		{3, 2, 1},
		{3, 3, 1},
		{3, 4, 2},
		{3, 7, 3},
		{-1, 7, 1},
		{0, 7, 1},
	} {
		t.Run(fmt.Sprintf("%d of %d", tt.atOnce, tt.most), func(t *testing.T) {
			stageTest(t, &client.Client{MaxRequestsPerConn: tt.most}, func(t *testing.T, s *stage) {
				var calls []*call
				s.slowly()
				for i := range tt.atOnce {
					calls = append(calls, s.ask(named(fmt.Sprint(i))))
				}
				s.quickly()
				s.answerAll()
				for i, k := range calls {
					k.expect(fmt.Sprint(i))
				}
				if n := s.conns(); n != tt.conns {
					t.Errorf("%d connections, want %d", n, tt.conns)
				}
				for n := 1; n <= s.conns(); n++ {
					p := s.conn(n)
					if tt.most > 0 && len(p.arrived) > tt.most {
						t.Errorf("connection %d has had %d requests", n, len(p.arrived))
					}
					if full := len(p.arrived) == tt.most; p.isClosed() != full {
						t.Errorf("connection %d, with %d requests: closed %v", n, len(p.arrived), p.isClosed())
					}
				}
			})
		})
	}
}
