package interop_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// hour is more milliseconds than any test waits: what comes after it does not come.
const hour = 3_600_000

func stream(t testing.TB, s *site) {
	var want strings.Builder
	for i := range 500 {
		fmt.Fprintf(&want, "chunk %d\n", i)
	}
	s.get(t, "do=stream&n=500").want(t, 200, want.String())
}

// streamArrives reads the first chunks of an answer that takes an hour. Not only the first: that may ride with the header
// where the others are collected.
func streamArrives(t testing.TB, s *site) {
	const pause = 100
	before := s.aborts(t)
	req := s.request(t, http.MethodGet, fmt.Sprintf("do=stream&n=%d&ms=%d", hour/pause, pause), nil)
	ctx, leave := context.WithCancel(req.Context())
	defer leave()
	chunks := bufio.NewReader(s.begin(t, req.WithContext(ctx)).Body)
	for i := range 3 {
		if line, err := chunks.ReadString('\n'); line != fmt.Sprintf("chunk %d\n", i) || err != nil {
			t.Fatalf("chunk %d is %q, %v", i, line, err)
		}
	}
	if now := s.aborts(t); now != before {
		t.Errorf("%d requests ended instead of waiting", now-before)
	}
	leave()
	s.awaitAborts(t, before)
}
