package client_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// X3: a request that a kept connection fails gets one that is made for it, and not another kept one, whose worker may
// have gone as well. There are no more than MaxConns all the same.
func TestX3RetryDials(t *testing.T) { eachMode(t, testX3RetryDials) }

func testX3RetryDials(t *testing.T, m mode) {
	for name, maxConns := range map[string]int{"no free place": 2, "free places": 3, "no limit": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { retryBesideStaleConns(t, m, maxConns) })
		})
	}
}

func retryBesideStaleConns(t *testing.T, m mode, maxConns int) {
	answerSecond, recycle, answerThird := make(chan struct{}), make(chan struct{}), make(chan struct{})
	c := m.pipeClient(t, &client.Client{KeepConn: true, MaxConns: maxConns, MaxIdle: 1}, func(a *fakeapp.Conn) {
		for n := 1; ; n++ {
			r := a.Request()
			switch {
			case r == nil:
				return
			case a.N == 2 && n == 1:
				<-answerSecond
			case a.N == 3:
				<-answerThird
			case a.N == 1 && n == 2:
				<-recycle
				return
			case a.N == 2:
				return
			}
			a.Say(r.Answer("ok"))
		}
	})
	open := countConns(c)
	defer c.Close()

	expect(t, c, get(), "ok") // the first connection is kept
	ask := func() chan error {
		done := make(chan error, 1)
		go func() { done <- do(t.Context(), c, get(), 0) }()
		synctest.Wait()
		return done
	}
	first := ask()
	second := ask()
	third := ask() // with two places, it has the next one that is free
	close(recycle)
	synctest.Wait()
	close(answerSecond)
	synctest.Wait()
	close(answerThird)
	for i, done := range []chan error{first, second, third} {
		if err := <-done; err != nil {
			t.Errorf("request %d: %v", i+1, err)
		}
	}
	if most := open.most.Load(); maxConns > 0 && most > int32(maxConns) {
		t.Errorf("%d connections at once, MaxConns is %d", most, maxConns)
	}
}

// openConns counts the connections that are open, and the most that ever were.
type openConns struct{ now, most atomic.Int32 }

// countConns counts the connections that c makes from now on.
func countConns(c *client.Client) *openConns {
	n := new(openConns)
	dial := c.Dial
	c.Dial = func(ctx context.Context) (net.Conn, error) {
		nc, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		now := n.now.Add(1)
		for m := n.most.Load(); now > m && !n.most.CompareAndSwap(m, now); m = n.most.Load() {
		}
		return &countedConn{Conn: nc, open: n}, nil
	}
	return n
}

type countedConn struct {
	net.Conn
	open   *openConns
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.open.now.Add(-1)
	}
	return c.Conn.Close()
}
