package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
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

// Close waits for the goroutines of connections, those included that were made just now.
func TestCloseWhileConnecting(t *testing.T) { eachMode(t, testCloseWhileConnecting) }

func testCloseWhileConnecting(t *testing.T, m mode) {
	for range 300 {
		dialled := make(chan struct{})
		here, there := net.Pipe()
		nc := &closingConn{Conn: here}
		c := &client.Client{Multiplex: m.multiplex, Dial: func(context.Context) (net.Conn, error) {
			close(dialled)
			return nc, nil
		}}
		done := make(chan error)
		go func() { done <- do(t.Context(), c, get(), 0) }()
		<-dialled
		c.Close()
		if n := nc.reading.Load(); n != 0 {
			t.Errorf("%d goroutines read after Close", n)
		}
		if err := <-done; !errors.Is(err, client.ErrClosed) {
			t.Errorf("error %v", err)
		}
		there.Close()
	}
}

// A closingConn counts the Reads that go on.
type closingConn struct {
	net.Conn
	reading atomic.Int32
}

func (c *closingConn) Read(p []byte) (int, error) {
	c.reading.Add(1)
	defer c.reading.Add(-1)
	return c.Conn.Read(p)
}
