package interop_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// manyRequests sends requests of several kinds at once. Every answer has to be the right one.
func manyRequests(t *testing.T, s *site) {
	jobs := make(chan int)
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for i := range jobs {
				s.oneOfMany(t, i)
			}
		})
	}
	for i := range 1000 {
		jobs <- i
	}
	close(jobs)
	workers.Wait()
}

// oneOfMany sends the request number i.
func (s *site) oneOfMany(t *testing.T, i int) {
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
