package interop_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// answering are the web servers on whose way to the client an answer might change, each with the simplest of its
// configurations.
var answering = []struct {
	server *webServer
	config string
}{
	{nginx, "minimal.conf"},
	{apache, "minimal.conf"},
	{lighttpd, "minimal.conf"},
	{caddy, "minimal.Caddyfile"},
	{haproxy, "minimal.cfg"},
	{h2o, "minimal.conf"},
}

// The client gets the status that the application gives, with and without a Location, and the body with it (W1).
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, a := range answering {
		t.Run(a.server.name, func(t *testing.T) {
			t.Parallel()
			a.server.find(t)
			p := newPlace(t)
			serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(answerAsAsked)}, "unix:"+p.socket)
			serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(answerAsAsked)}, "tcp:"+p.tcp)
			s := a.server.run(t, p, a.config, "")
			for _, by := range []string{"SendResponse", "http"} {
				for _, status := range []int{201, 204, 301, 302, 303, 307, 308, 404} {
					for _, location := range []string{"", "/a?b=c", "https://example.org/a"} {
						s.wantStatusAndLocation(t, by, status, location)
					}
				}
			}
			s.wantStatusAndLocation(t, "SendRedirect", 302, "https://example.org/a")
		})
	}
}

// answerAsAsked answers as the header fields By, Code and To say.
func answerAsAsked(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	code, err := strconv.Atoi(r.Params.Get("HTTP_CODE"))
	to := r.Params.Get("HTTP_TO")
	switch r.Params.Get("HTTP_BY") {
	case "SendRedirect":
		err = fastcgi.SendRedirect(w, to)
	case "SendResponse":
		var headers []fastcgi.Pair
		if to != "" {
			headers = append(headers, fastcgi.Pair{Name: "Location", Value: to})
		}
		err = fastcgi.SendResponse(w, code, "text/plain", "the body", headers...)
	case "http":
		fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if to != "" {
				w.Header().Set("Location", to)
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "the body") // it is an error where the status has no body
		})).ServeFastCGI(w, r)
	}
	if err != nil {
		_, _ = fmt.Fprintln(r.Stderr(), err)
	}
}

// wantStatusAndLocation asks for an answer, and fails the test unless it comes as it was sent.
func (s *site) wantStatusAndLocation(t *testing.T, by string, status int, location string) {
	t.Helper()
	req := s.request(t, http.MethodPost, "", strings.NewReader("body"))
	req.Header.Set("By", by)
	req.Header.Set("Code", strconv.Itoa(status))
	if location != "" {
		req.Header.Set("To", location)
	}
	a := s.do(t, req)
	body := "the body"
	if status == http.StatusNoContent || by == "SendRedirect" {
		body = ""
	}
	if got := a.Header.Get("Location"); a.StatusCode != status || got != location || a.body != body {
		t.Errorf("by %s, status %d and Location %q: the client gets %d, %q and %q", by, status, location, a.StatusCode, got, clip(a.body))
	}
}
