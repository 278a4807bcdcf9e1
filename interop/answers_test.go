package interop_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// G7: a body is not sent, and not missed by the next request on the connection.
func head(t testing.TB, s *site) {
	for range 5 {
		a := s.do(t, s.request(t, http.MethodHead, "do=bytes&n=1000", nil))
		a.want(t, 200, "")
		if a.ContentLength != 1000 {
			t.Errorf("Content-Length %d", a.ContentLength)
		}
		s.get(t, "do=bytes&n=2").want(t, 200, "\x00\x01")
	}
}

func noBody(t testing.TB, s *site) {
	for _, code := range []int{204, 304, 204} {
		s.get(t, fmt.Sprintf("do=status&code=%d", code)).want(t, code, "")
		s.get(t, "do=bytes&n=2").want(t, 200, "\x00\x01")
	}
}

// The application's own words for an error reach the client.
func statuses(t testing.TB, s *site) {
	for _, code := range []int{200, 201, 400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 504} {
		s.get(t, fmt.Sprintf("do=status&code=%d", code)).want(t, code, http.StatusText(code)+"\n")
	}
}

// F4
func panicBefore(t testing.TB, s *site) {
	a := s.get(t, "do=panic&when=before")
	if a.StatusCode != 500 {
		t.Errorf("status %d", a.StatusCode)
	}
	s.get(t, "do=ignore").want(t, 200, "ignored\n")
}

// F4: what was sent before the panic arrives. That it is not all, no web server can know: END_REQUEST's appStatus is
// not a part of HTTP.
func panicWithin(t testing.TB, s *site) {
	s.get(t, "do=panic&when=after").want(t, 200, "partial\n")
	s.get(t, "do=ignore").want(t, 200, "ignored\n")
}

// A36: what a CGI program would have exited with is not a part of HTTP.
func appStatus(t testing.TB, s *site) {
	for _, code := range []uint32{0, 1, 938, 0xFFFFFFFF} {
		s.get(t, fmt.Sprintf("do=exit&code=%d", code)).want(t, 200, "ok\n")
	}
}

// G2
func redirect(t testing.TB, s *site) {
	const to = "https://example.org/elsewhere?x=1#there"
	a := s.get(t, "do=redirect&to="+url.QueryEscape(to))
	if a.StatusCode != 302 || a.Header.Get("Location") != to {
		t.Errorf("status %d, Location %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// G3: the web server follows it itself (RFC 3875 §6.2.2). What an http.Handler sends is not one, but always the client's.
func localRedirect(t testing.TB, s *site) {
	if s.mode == "http" {
		wantStatus(t, s.get(t, "do=redirect&to="+url.QueryEscape(s.path)), 302)
		return
	}
	s.get(t, "do=redirect&to="+url.QueryEscape(s.path+"?do=ignore")).want(t, 200, "ignored\n")
}

// What is written to FCGI_STDERR is in the web server's log, and nothing of it in the response.
func stderr(t testing.TB, s *site) {
	for _, text := range []string{"in trouble: " + t.Name(), `with "quotes" and 100 %, ` + t.Name()} {
		s.get(t, "do=stderr&text="+url.QueryEscape(text)).want(t, 200, "ok\n")
		s.wantLog(t, text)
	}
}
