package client_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// afterWork is how long the worker of worksOn is busy behind its answer.
const afterWork = 10 * time.Second

// worksOn answers with the number of its connection and then does something else before the next request, as a PHP
// script does that calls fastcgi_finish_request.
func worksOn(a *fakeapp.Conn) {
	for r := a.Request(); r != nil; r = a.Request() {
		a.Say(r.Answer(strconv.Itoa(a.N)))
		time.Sleep(afterWork)
	}
}

// X15: a request does not wait behind a worker that is not done where another is free. A shared connection is no worker: an
// application that takes several requests on one is not expected to stop for any of them, and there is no other connection
// until the first is full.
func TestX15TakeTurns(t *testing.T) { eachMode(t, testX15TakeTurns) }

func testX15TakeTurns(t *testing.T, m mode) {
	for _, tt := range []struct {
		name              string
		maxConns, maxIdle int
		want              string // the connection of each request; those that come again have to wait
	}{
		{"one place", 1, 0, "11"},
		{"two places", 2, 0, "1212"},
		{"three places, two to keep", 3, 0, "1212"},
		{"three places, three to keep", 3, 3, "123123"},
		{"two places, three to keep", 2, 3, "1212"},
		{"three places, all to keep", 3, -1, "1231"},
		{"no limit: nobody says how many workers there are", 0, 3, "11"},
		{"no limit", -1, 3, "11"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := m.pipeClient(t, &client.Client{KeepConn: true, MaxConns: tt.maxConns, MaxIdle: tt.maxIdle}, worksOn)
				defer c.Close()
				busy := map[rune]time.Time{} // until when each worker is
				for i, want := range m.either(tt.want, strings.Repeat("1", len(tt.want))) {
					start := time.Now()
					expect(t, c, get(), string(want))
					wait := max(busy[want].Sub(start), 0)
					if took := time.Since(start); took != wait {
						t.Errorf("request %d took %v, want %v", i+1, took, wait)
					}
					busy[want] = time.Now().Add(afterWork)
				}
			})
		})
	}
}

// X15, C14: those that are being made, and those that ask for values, are counted as well: there are never more than
// MaxConns.
func TestX15NeverMore(t *testing.T) { eachMode(t, testX15NeverMore) }

func testX15NeverMore(t *testing.T, m mode) {
	for _, maxIdle := range []int{1, 2, 3, 4} {
		synctest.Test(t, func(t *testing.T) {
			const maxConns = 3
			c := m.pipeClient(t, &client.Client{KeepConn: true, MaxConns: maxConns, MaxIdle: maxIdle, MaxRequestsPerConn: 5},
				func(a *fakeapp.Conn) {
					for r := a.Request(); r != nil; r = a.Request() {
						time.Sleep(time.Duration(a.N%7) * time.Millisecond)
						a.Say(r.Answer("ok"))
					}
				})
			open := countConns(c)
			var wg sync.WaitGroup
			for i := range 100 {
				wg.Go(func() {
					time.Sleep(time.Duration(i%5) * time.Millisecond)
					if i%10 == 0 {
						if _, err := c.GetValues(t.Context()); !errors.Is(err, client.ErrNoValues) {
							t.Error(err)
						}
						return
					}
					if err := do(t.Context(), c, get(), 0); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if most := open.most.Load(); most != maxConns {
				t.Errorf("MaxIdle %d: %d connections at once", maxIdle, most)
			}
			expect(t, c, get(), "ok")
			c.Close()
			synctest.Wait()
			if now := open.now.Load(); now != 0 {
				t.Errorf("MaxIdle %d: %d connections are left", maxIdle, now)
			}
		})
	}
}

// Without a limit the connection used last comes first, so that those that are too many time out; of shared ones it is the
// oldest, to the same end.
func TestX15LastFirst(t *testing.T) { eachMode(t, testX15LastFirst) }

func testX15LastFirst(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{KeepConn: true, MaxActivePerConn: 1}, func(a *fakeapp.Conn) {
			for r := a.Request(); r != nil; r = a.Request() {
				time.Sleep(time.Duration(a.N) * time.Second)
				a.Say(r.Answer(strconv.Itoa(a.N)))
			}
		})
		defer c.Close()
		first := make(chan error, 1)
		go func() { first <- do(t.Context(), c, get(), 0) }()
		synctest.Wait()
		for _, want := range m.either("222", "211") {
			expect(t, c, get(), string(want))
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}
