package interop_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// loadVariable names the variable that, as "whole", has every site sent allRequests: `make matrix`, whose results are kept,
// sets it.
const loadVariable = "FASTCGI_LOAD"

// How many requests manyRequests sends. Without the variable, one site of each column of the matrix has all of them and
// every other site a fifth, of the same kinds and lengths and with as many at once. That is still several for each
// connection; all of them at 78 sites took two thirds of what a change waits for.
const allRequests, fewRequests = 2000, 400

// requests returns how many requests the site has to take.
func (s *site) requests() int {
	if s.wholeLoad || os.Getenv(loadVariable) == "whole" {
		return allRequests
	}
	return fewRequests
}

// manyRequests sends requests of several kinds at once. Every answer has to be the right one.
func manyRequests(t testing.TB, s *site) {
	jobs := make(chan int)
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for i := range jobs {
				s.oneOfMany(t, i)
			}
		})
	}
	n := s.requests()
	for i := range n {
		jobs <- i * (allRequests / n) // the longest body is as long
	}
	close(jobs)
	workers.Wait()
}

// oneOfMany sends the request number i.
func (s *site) oneOfMany(t testing.TB, i int) {
	query, body, want := "do=ignore", "", "ignored\n"
	switch i % 4 {
	case 1:
		query, want = "do=sleep&ms=1", "slept\n"
	case 2:
		query, want = "do=stream&n=3", "chunk 0\nchunk 1\nchunk 2\n"
	case 3:
		body = strings.Repeat(fmt.Sprintf("request %d\n", i), i)
		query, want = "do=echo", body
	}
	a, err := s.try(s.request(t, http.MethodPost, query, strings.NewReader(body)))
	if err != nil {
		t.Errorf("request %d: %v", i, err)
		return
	}
	a.want(t, 200, want)
}

// A load is requests, one after the other, from several clients.
type load struct {
	answered atomic.Int64
	done     chan struct{}
	clients  sync.WaitGroup
}

// keepAsking sends requests until the load is stopped. All must be answered.
func (s *site) keepAsking(t testing.TB, method string) *load {
	t.Helper()
	l := &load{done: make(chan struct{})}
	for range 8 {
		l.clients.Go(func() { l.ask(t, s, method) })
	}
	return l
}

func (l *load) ask(t testing.TB, s *site, method string) {
	for {
		select {
		case <-l.done:
			return
		default:
		}
		a, err := s.try(s.request(t, method, "do=ignore", nil))
		if err != nil {
			t.Error(err)
			return
		}
		a.want(t, 200, "ignored\n")
		l.answered.Add(1)
		time.Sleep(4 * time.Millisecond) // the web servers and applications need the processors as well
	}
}

// awaitSome waits for answers to requests that are sent from now on.
func (l *load) awaitSome(t testing.TB) {
	t.Helper()
	enough := l.answered.Load() + 100
	eventually(t, "requests are answered", func() bool { return l.answered.Load() >= enough })
}

func (l *load) stop() {
	close(l.done)
	l.clients.Wait()
}
