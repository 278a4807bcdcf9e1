package interop_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// params returns the parameters that the application was sent with a request.
func params(t testing.TB, a answer) map[string]string {
	t.Helper()
	if a.StatusCode != 200 {
		t.Fatalf("status %d: %s", a.StatusCode, clip(a.body))
	}
	got := make(map[string]string)
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatalf("%v: %s", err, clip(a.body))
	}
	return got
}

// wantParams fails the test unless the parameters have certain values; an empty one may as well be missing.
func wantParams(t testing.TB, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

// G8
func parameters(t testing.TB, s *site) {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	got := params(t, s.get(t, "do=params&a=b%20c&a=%26"))
	wantParams(t, got, map[string]string{
		"GATEWAY_INTERFACE": "CGI/1.1",
		"REQUEST_METHOD":    "GET",
		"REQUEST_URI":       s.path + "?do=params&a=b%20c&a=%26",
		"QUERY_STRING":      "do=params&a=b%20c&a=%26",
		"SERVER_PROTOCOL":   "HTTP/1.1",
		"SERVER_PORT":       port,
		"REMOTE_ADDR":       host,
		"CONTENT_TYPE":      "",
		"HTTPS":             "",
	})
	if length := got["CONTENT_LENGTH"]; length != "" && length != "0" {
		t.Errorf("CONTENT_LENGTH is %q", length)
	}
	for _, name := range []string{"REMOTE_PORT", "SERVER_SOFTWARE", "HTTP_USER_AGENT", "HTTP_HOST"} {
		if got[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// The path arrives as the client wrote it, and decoded.
func paths(t testing.TB, s *site) {
	for raw, decoded := range map[string]string{
		"plain":                   "plain",
		"slash/":                  "slash/",
		"a%20b+c":                 "a b+c",
		"%E2%82%AC/%C3%BC":        "€/ü",
		"100%25":                  "100%",
		"what%3Fnot":              "what?not",
		"a;b=c,d":                 "a;b=c,d",
		"x.php/y":                 "x.php/y",
		strings.Repeat("d/", 100): strings.Repeat("d/", 100),
	} {
		wantPath(t, s, raw, decoded)
	}
}

func pathEncodedSlash(t testing.TB, s *site) { wantPath(t, s, "a%2Fb", "a/b") }

func pathNotUTF8(t testing.TB, s *site) { wantPath(t, s, "not%FFutf8", "not\xffutf8") }

// CVE-2019-11043 was a line break.
func pathLineBreak(t testing.TB, s *site) { wantPath(t, s, "line%0Abreak", "line\nbreak") }

// Decoded, the slashes may have become one.
func pathDoubleSlash(t testing.TB, s *site) { wantPath(t, s, "a//b", "a//b", "a/b") }

// wantPath fails the test unless a path below the site's arrives as it is, and decoded in one of some ways.
func wantPath(t testing.TB, s *site, raw string, decoded ...string) {
	t.Helper()
	got := params(t, s.sendRaw(t, fmt.Sprintf("GET %s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.path, raw, s.addr)))
	wantParams(t, got, map[string]string{"REQUEST_URI": s.path + raw})
	path := got["SCRIPT_NAME"] + got["PATH_INFO"]
	for _, want := range decoded {
		// JSON has no bytes that are not UTF-8.
		if path == s.path+strings.ToValidUTF8(want, "\uFFFD") {
			return
		}
	}
	t.Errorf("%s: SCRIPT_NAME and PATH_INFO are %q and %q", raw, got["SCRIPT_NAME"], got["PATH_INFO"])
}

func headers(t testing.TB, s *site) {
	req := s.request(t, http.MethodGet, "", nil)
	want := map[string]string{"HTTP_X_ODD": `"quoted" \ 'single' ; , = € %0A`}
	req.Header.Set("X-Odd", want["HTTP_X_ODD"])
	for i := range 20 {
		value := strings.Repeat("v", i*i)
		req.Header.Set(fmt.Sprintf("X-Header-%d", i), value)
		want[fmt.Sprintf("HTTP_X_HEADER_%d", i)] = value
	}
	wantParams(t, params(t, s.do(t, req)), want)
}

func repeatedHeaders(t testing.TB, s *site) {
	req := s.request(t, http.MethodGet, "", nil)
	req.Header["X-Twice"] = []string{"one", "two"}
	if value := params(t, s.do(t, req))["HTTP_X_TWICE"]; value != "two" && value != "one, two" {
		t.Errorf("HTTP_X_TWICE is %q", value)
	}
}

// A header that could pass for another one in the environment does not arrive.
func underscoreHeaders(t testing.TB, s *site) {
	req := s.request(t, http.MethodGet, "", nil)
	req.Header["X_Once"] = []string{"spoofed"}
	if _, ok := params(t, s.do(t, req))["HTTP_X_ONCE"]; ok {
		t.Error("X_Once has arrived as HTTP_X_ONCE")
	}
}

func methods(t testing.TB, s *site) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
		got := params(t, s.do(t, s.request(t, method, "", nil)))
		wantParams(t, got, map[string]string{"REQUEST_METHOD": method})
	}
}

func form(t testing.TB, s *site) {
	const body = "name=joe&text=a+b%0Ac"
	send := func(query string) answer {
		req := s.request(t, http.MethodPost, query, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return s.do(t, req)
	}
	wantParams(t, params(t, send("")), map[string]string{
		"REQUEST_METHOD": "POST",
		"CONTENT_TYPE":   "application/x-www-form-urlencoded",
		"CONTENT_LENGTH": fmt.Sprint(len(body)),
	})
	send("do=echo").want(t, 200, body)
}
