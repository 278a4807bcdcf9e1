//go:build unix

package interop_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// An errand is a request and the body that it is to be answered with.
type errand struct {
	method, url, body, want string
}

// errandNumber returns one of many. Each differs from those before it, so that an answer to another is seen.
func errandNumber(s *site, method string, i int) errand {
	if method == http.MethodPost {
		body := fmt.Sprintf("request %d\n", i)
		return errand{method: method, url: s.url("do=echo"), body: body, want: body}
	}
	n := i % 1000
	return errand{method: method, url: s.url(fmt.Sprintf("do=bytes&n=%d", n)), want: pattern[:n]}
}

// pattern is what the probe sends when asked for bytes.
var pattern = func() string {
	var b strings.Builder
	for i := range 1000 {
		b.WriteByte(byte(i % 251))
	}
	return b.String()
}()

func (e errand) request(t testing.TB) *http.Request {
	t.Helper()
	var body io.Reader
	if e.body != "" {
		body = strings.NewReader(e.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), e.method, e.url, body)
	if err != nil {
		t.Error(err)
	}
	return req
}

// A visitor is a client with one connection. It sends each request once, where net/http's client would send some again
// and hide that they were lost.
type visitor struct {
	addr string
	conn net.Conn // nil if there is none now
	in   *bufio.Reader
}

func (v *visitor) ask(req *http.Request) (answer, error) {
	if v.conn == nil {
		c, err := net.Dial("tcp", v.addr)
		if err != nil {
			return answer{}, err
		}
		v.conn, v.in = c, bufio.NewReader(c)
	}
	a, err := v.exchange(req)
	if err != nil || a.Close {
		v.leave()
	}
	return a, err
}

func (v *visitor) exchange(req *http.Request) (answer, error) {
	if err := v.conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		return answer{}, err
	}
	if err := req.Write(v.conn); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(v.in, req)
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(resp.Body)
	return answer{resp, string(body)}, err
}

// leave closes the connection.
func (v *visitor) leave() {
	if v.conn != nil {
		v.conn.Close()
		v.conn = nil
	}
}

// openEvents begins a stream of events, and says on a channel whether it ended as it should, once it does.
func (s *site) openEvents(t *testing.T, orderly chan<- bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	events := *s
	events.path = "/events/"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, events.url("do=events&ms=1000"), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(resp.Body)
	if first, err := in.ReadString('\n'); first != "chunk 0\n" || resp.StatusCode != 200 {
		t.Fatalf("a stream begins with status %d, %q, %v", resp.StatusCode, first, err)
	}
	go func() {
		defer resp.Body.Close()
		rest, err := io.ReadAll(in)
		orderly <- err == nil && strings.HasSuffix(string(rest), "bye\n")
	}()
}

// shownLosses is how many failures are told at length.
const shownLosses = 40

// A restartOutcome is what became of requests while the application was restarted.
type restartOutcome struct {
	mu        sync.Mutex
	right     int
	failures  map[string]int
	losses    []string // the first of them, at length
	longest   time.Duration
	ended     time.Duration
	restarted time.Time // when the last restart began
	before    int       // requests before its end
}

func newOutcome() *restartOutcome { return &restartOutcome{failures: make(map[string]int)} }

// add counts a request.
func (o *restartOutcome) add(begin time.Time, a answer, err error, want string) {
	end := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.longest = max(o.longest, end.Sub(begin))
	var failure, detail string
	switch {
	case err != nil:
		failure, detail = "connection lost", err.Error()
	case a.StatusCode != 200:
		failure = fmt.Sprintf("status %d", a.StatusCode)
	case a.body != want:
		failure, detail = "wrong body", fmt.Sprintf("%q, not %q", clip(a.body), clip(want))
	default:
		o.right++
		return
	}
	o.failures[failure]++
	if len(o.losses) < shownLosses {
		o.losses = append(o.losses, fmt.Sprintf("%s %s: from %v to %v after the last restart began",
			failure, detail, begin.Sub(o.restarted), end.Sub(o.restarted)))
	}
}

// restart restarts the application, and looks how long that takes the old process.
func (o *restartOutcome) restart(t testing.TB, s *site) {
	begin := time.Now()
	o.mu.Lock()
	o.restarted = begin
	o.mu.Unlock()
	s.restart(t)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = max(o.ended, time.Since(begin))
	o.before = o.count()
}

// awaitNew waits until the process that was started last has answered, or all requests have been sent.
func (o *restartOutcome) awaitNew(t testing.TB, over func() bool) {
	t.Helper()
	eventually(t, "the new process answers", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.count() > o.before+restartClients || over()
	})
}

// answered returns how many requests there were.
func (o *restartOutcome) answered() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count()
}

// count is answered for who holds mu.
func (o *restartOutcome) count() int {
	n := o.right
	for _, failed := range o.failures {
		n += failed
	}
	return n
}

// awaitSome waits for answers to requests that are sent from now on.
func (o *restartOutcome) awaitSome(t testing.TB) {
	t.Helper()
	enough := o.answered() + 200
	eventually(t, "requests are answered", func() bool { return o.answered() >= enough })
}
