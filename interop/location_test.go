package interop_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// locates is a handler that answers with the status and the Location that it is asked for. At /loop it always sends
// 200 and Location: /loop.
func locates(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	q, _ := url.ParseQuery(r.Params.Get("QUERY_STRING")) // the test's own
	code, err := strconv.Atoi(q.Get("code"))
	to := q.Get("to")
	if r.Params.Get("PATH_INFO") == "/loop" {
		code, to, err = 200, "/loop", nil
	}
	if err != nil {
		_ = fastcgi.SendResponse(w, 200, "text/plain", "elsewhere\n")
		return
	}
	_ = fastcgi.SendResponse(w, code, "text/plain", "here\n", fastcgi.Pair{Name: "Location", Value: to})
}

// What Apache makes of a Location that is no redirect, as the page says: with status 200, one of its own where it has
// started the program. All else is the client's, as the handler sent it.
func TestApacheLocation(t *testing.T) {
	apache.find(t)
	for name, tt := range map[string]struct {
		server *webServer
		config string
		starts bool
	}{
		"mod_cgid":       {apache, "cgi.conf", true},
		"mod_cgi":        {apacheForking(), "cgi.conf", true},
		"mod_fcgid":      {apache, "fcgid.conf", true},
		"mod_proxy_fcgi": {apache, "minimal.conf", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, w := newPlace(t), tt.server
			if tt.starts {
				w = w.startingPart("locates")
			} else {
				handle(locates)(t, p)
			}
			s := w.run(t, p, tt.config, "")
			s.wantLocation(t, 201, "/elsewhere", 201, "here\n")
			s.wantLocation(t, 303, "/elsewhere", 303, "here\n")
			s.wantLocation(t, 201, "https://example.org/", 201, "here\n")
			if !tt.starts {
				s.wantLocation(t, 200, "/elsewhere", 200, "here\n")
				s.wantLocation(t, 200, "https://example.org/", 200, "here\n")
				return
			}
			if a := s.located(t, 200, "https://example.org/"); a.StatusCode != 302 || strings.Contains(a.body, "here\n") {
				t.Errorf("200 with a whole URL: status %d, %q", a.StatusCode, a.body)
			}
			a := s.located(t, 200, "/elsewhere")
			a.want(t, 200, "elsewhere\n")
			if to := a.Header.Get("Location"); to != "" {
				t.Errorf("Location %q", to)
			}
			const log = "exceeded the limit of 10 internal redirects"
			wantExplained(t, apache, log)
			wantStatus(t, s.located(t, 200, "/loop"), 500)
			s.wantLog(t, log)
		})
	}
}

// located returns the answer to a request that asks for a status and a Location.
func (s *site) located(t *testing.T, code int, to string) answer {
	t.Helper()
	return s.get(t, fmt.Sprintf("code=%d&to=%s", code, url.QueryEscape(to)))
}

// wantLocation fails the test unless these reach the client with their Location.
func (s *site) wantLocation(t *testing.T, code int, to string, status int, body string) {
	t.Helper()
	a := s.located(t, code, to)
	a.want(t, status, body)
	if got := a.Header.Get("Location"); got != to {
		t.Errorf("status %d: Location %q, want %q", code, got, to)
	}
}
