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

// streamArrives reads the first chunk, although the second will not be written before an hour has passed.
func streamArrives(t testing.TB, s *site) {
	before := s.aborts(t)
	req := s.request(t, http.MethodGet, fmt.Sprintf("do=stream&n=2&ms=%d", hour), nil)
	ctx, leave := context.WithCancel(req.Context())
	defer leave()
	resp := s.begin(t, req.WithContext(ctx))
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "chunk 0\n" || err != nil {
		t.Errorf("the first chunk is %q, %v", line, err)
	}
	if now := s.aborts(t); now != before {
		t.Errorf("%d requests ended instead of waiting", now-before)
	}
	leave()
	s.awaitAborts(t, before)
}
