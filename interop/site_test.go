package interop_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A site is an application behind a web server, as a client sees it.
type site struct {
	server  *webServer
	process *process // of the web server
	place   *place
	addr    string // host:port
	scheme  string
	path    string // of all requests that name no other
	client  *http.Client

	// restart replaces the application's process by a new one, in a way that need not lose a request: that of
	// application.listen, or the web server's own. It returns when the old one has ended.
	restart func(t testing.TB)

	mode      string // of the application, in the matrix
	wholeLoad bool   // manyRequests sends all that it can

	// How the web server treats the application's connections, request bodies and responses.
	keepAlive         bool
	requestBuffering  bool
	responseBuffering bool

	// learned is how long it took the application to learn that its client had left, in the scenario run last.
	learned time.Duration
}

// newSite makes a site with a client that takes every answer as it comes.
func newSite(t testing.TB, server *webServer, p *place) *site {
	t.Helper()
	transport := &http.Transport{
		DisableCompression:  true,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     2 * time.Second, // before any web server closes one, which a POST may meet
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{
		server: server,
		place:  p,
		addr:   p.http,
		scheme: "http",
		path:   "/",
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// useTLS has the client speak HTTPS, with HTTP/2 where the web server offers it.
func (s *site) useTLS() {
	s.addr, s.scheme = s.place.https, "https"
	transport := s.client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2 = true
	// The certificate is the test's own, and the name in it is not that of the address.
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, ServerName: "app.example.com"}
}

// url returns that of a task for the probe.
func (s *site) url(query string) string { return s.scheme + "://" + s.addr + s.path + "?" + query }

// deadline is how long one request may take: longer than any does, shorter than go test's patience.
const deadline = time.Minute

// request makes a request for the site's path with a query.
func (s *site) request(t testing.TB, method, query string, body io.Reader) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, s.url(query), body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// begin sends a request and returns the response, whose body is still coming in.
func (s *site) begin(t testing.TB, req *http.Request) *http.Response {
	t.Helper()
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// An answer is a complete response.
type answer struct {
	*http.Response
	body string
}

// do sends a request and returns its answer.
func (s *site) do(t testing.TB, req *http.Request) answer {
	t.Helper()
	a, err := s.try(req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// try is do for any goroutine.
func (s *site) try(req *http.Request) (answer, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: the body breaks off after %d bytes: %w", req.Method, req.URL, len(body), err)
	}
	return answer{resp, string(body)}, nil
}

// get returns the answer to a query.
func (s *site) get(t testing.TB, query string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodGet, query, nil))
}

// post returns the answer to a query with a body of a known length.
func (s *site) post(t testing.TB, query, body string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodPost, query, strings.NewReader(body)))
}

// sendRaw sends bytes that net/http would not, and returns the answer to them. They must ask for the connection to be
// closed.
func (s *site) sendRaw(t testing.TB, text string) answer {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer context.AfterFunc(t.Context(), func() { c.Close() })()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return answer{resp, string(body)}
}

// want fails the test unless the answer has a status and a body.
func (a answer) want(t testing.TB, status int, body string) {
	t.Helper()
	if a.StatusCode != status || a.body != body {
		t.Errorf("status %d, body %q; want %d, %q", a.StatusCode, clip(a.body), status, clip(body))
	}
}

// wantStatus fails the test unless the answer has a status.
func wantStatus(t testing.TB, a answer, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status %d, want %d: %s", a.StatusCode, status, clip(a.body))
	}
}

// clip shortens what would fill the screen.
func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}

// wantLog waits until the web server's error log has each of some texts.
func (s *site) wantLog(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, "the error log says "+text, func() bool {
			return strings.Contains(s.place.read(t, "error.log"), text)
		})
	}
}
