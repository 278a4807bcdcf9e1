package fastcgi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzHTTPRequest holds that nothing that a client writes makes a URL with a host, a Host with a character that none
// has, or a header field of more than a line; that a URL means the same when it is written and read again, and what it
// means to net/http; and that what cannot be such a request is answered with status 400.
func FuzzHTTPRequest(f *testing.F) {
	for _, tt := range httpRequestTests {
		v := map[string]string{"REQUEST_URI": "/", "HTTP_HOST": "example.com"}
		for i := 0; i < len(tt.params); i += 2 {
			v[tt.params[i]] = tt.params[i+1]
		}
		f.Add(v["REQUEST_URI"], v["HTTP_HOST"], v["QUERY_STRING"], v["PATH_INFO"], v["SERVER_NAME"], v["HTTP_X_A"])
	}
	f.Add("a:", "", "b", "", "", "")
	requests := make(chan *http.Request, 1)
	p := place{drivers[0], "unix"}
	app := p.serveHTTP(f, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { requests <- r }))
	conn, err := app.connect()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	f.Fuzz(func(t *testing.T, uri, host, query, pathInfo, serverName, field string) {
		for _, s := range []string{uri, host, query, pathInfo, serverName, field} {
			if strings.Contains(s, "\x00") || len(s) > 8000 {
				t.Skip("the protocol lets no such parameter through")
			}
		}
		web := newWeb(t, conn)
		web.SetDeadline(time.Now().Add(patience))
		answer := web.ask(1, httpGet("REQUEST_URI", uri, "HTTP_HOST", host, "QUERY_STRING", query,
			"PATH_INFO", pathInfo, "SERVER_NAME", serverName, "HTTP_X_A", field)...)
		select {
		case r := <-requests:
			checkHTTPRequest(t, r)
			checkAsParsed(t, r, query)
		default:
			if answer.status() != 400 {
				t.Errorf("the handler was not called, and the answer is %q", answer.stdout.String())
			}
		}
	})
}

// checkAsParsed holds that a URL is what net/http makes of a target that is a path with, maybe, a query; but that the
// query is QUERY_STRING.
func checkAsParsed(t *testing.T, r *http.Request, query string) {
	if !strings.HasPrefix(r.RequestURI, "/") {
		return
	}
	want, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		t.Fatalf("%q passes, in net/http %v", r.RequestURI, err)
	}
	want.RawQuery, want.ForceQuery = query, want.ForceQuery && query == ""
	if *want != *r.URL {
		t.Errorf("%q is %#v, in net/http %#v", r.RequestURI, r.URL, want)
	}
}

func checkHTTPRequest(t *testing.T, r *http.Request) {
	u := r.URL
	if u.Host != "" || u.Scheme != "" || u.Opaque != "" || u.User != nil {
		t.Errorf("URL %#v is more than a path and a query", u)
	}
	if u.Path != "*" && !strings.HasPrefix(u.Path, "/") {
		t.Errorf("path %q", u.Path)
	}
	if strings.ContainsFunc(r.Host, func(c rune) bool { return c <= ' ' || c == '/' || c == '@' || c == '?' || c == '#' || c >= 0x7f }) {
		t.Errorf("host %q", r.Host)
	}
	again, err := url.ParseRequestURI(u.RequestURI())
	if err != nil || again.Path != u.Path || again.RawQuery != u.RawQuery || again.Host != "" {
		t.Errorf("URL %#v comes back as %#v, %v", u, again, err)
	}
	for name, values := range r.Header {
		if len(values) != 1 || strings.ContainsAny(values[0], "\r\n\x00") {
			t.Errorf("%s: %q", name, values)
		}
	}
}
