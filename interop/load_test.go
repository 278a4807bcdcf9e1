package interop_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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
	for i := range 2000 {
		jobs <- i
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
		time.Sleep(2 * time.Millisecond) // the web servers and applications need the processors as well
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
