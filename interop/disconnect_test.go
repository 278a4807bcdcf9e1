package interop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// aborts returns how many requests the application has seen aborted.
func (s *site) aborts(t testing.TB) int {
	t.Helper()
	a := s.get(t, "do=aborts")
	n, err := strconv.Atoi(strings.TrimSpace(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// awaitAborts waits until the application has seen more requests aborted than before.
func (s *site) awaitAborts(t testing.TB, before int) {
	t.Helper()
	eventually(t, "the application sees that the client has left", func() bool { return s.aborts(t) > before })
}

// awaitDeparture has clients leave, one after the other, until the application has seen it: who leaves too early is not
// heard of. It notes how long that took from the first on.
func (s *site) awaitDeparture(t testing.TB, comeAndLeave func()) {
	t.Helper()
	before := s.aborts(t)
	var left time.Time
	eventually(t, "the application sees that a client has left", func() bool {
		comeAndLeave()
		if left.IsZero() {
			left = time.Now()
		}
		return s.aborts(t) > before
	})
	s.learned = time.Since(left)
}

// leaveSilent leaves while the application has not answered anything, so nothing tells when it has the request.
func leaveSilent(t testing.TB, s *site) {
	s.awaitDeparture(t, func() {
		req := s.request(t, http.MethodGet, fmt.Sprintf("do=sleep&ms=%d", hour), nil)
		ctx, cancel := context.WithTimeout(req.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := s.client.Do(req.WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("left with %v", err)
		}
	})
}

// leaveUpload leaves when the body is half sent.
func leaveUpload(t testing.TB, s *site) {
	s.awaitDeparture(t, func() {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		half := io.MultiReader(noise(1_000_000), leaver{leave})
		req := s.request(t, http.MethodPost, "do=digest", half).WithContext(ctx)
		req.ContentLength = 2_000_000
		if _, err := s.client.Do(req); !errors.Is(err, context.Canceled) {
			t.Fatalf("left with %v", err)
		}
	})
}

// A leaver is the rest of a body that the client does not send.
type leaver struct{ leave context.CancelFunc }

func (l leaver) Read([]byte) (int, error) {
	l.leave()
	return 0, context.Canceled
}

// leaveResponse leaves within a response that is longer than anything buffers.
func leaveResponse(t testing.TB, s *site) {
	before := s.aborts(t)
	req := s.request(t, http.MethodGet, "do=bytes&n=1000000000000", nil)
	ctx, leave := context.WithCancel(req.Context())
	defer leave()
	resp := s.begin(t, req.WithContext(ctx))
	wantStart(t, resp.Body)
	leave()
	left := time.Now()
	s.awaitAborts(t, before)
	s.learned = time.Since(left)
}

// wantStart checks the first bytes of what the probe sends for bytes.
func wantStart(t testing.TB, r io.Reader) {
	t.Helper()
	const n = 100_000
	wantPattern(t, io.LimitReader(r, n), n)
}
