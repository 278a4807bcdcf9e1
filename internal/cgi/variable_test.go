package cgi_test

import (
	"net/textproto"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

func TestVariable(t *testing.T) {
	for header, want := range map[string]string{
		"Accept":          "HTTP_ACCEPT",
		"accept":          "HTTP_ACCEPT",
		"X-Forwarded-For": "HTTP_X_FORWARDED_FOR",
		"X-0":             "HTTP_X_0",
		"Content-Type":    "CONTENT_TYPE",
		"content-length":  "CONTENT_LENGTH",
		"S":               "HTTP_S",
		// GHSA-f59h-q822-g45g: aliases of Remote-User.
		"Remote_User": "",
		"Remote.User": "",
		"Remote User": "",
		"Remote+User": "",
		"Rémote-User": "",
		// CVE-2016-5386.
		"Proxy":   "",
		"pROXY":   "",
		"":        "",
		"X-A\n":   "",
		"X-A\x00": "",
	} {
		got, ok := cgi.Variable(header)
		if got != want || ok != (want != "") {
			t.Errorf("Variable(%q) = %q, %v; want %q", header, got, ok, want)
		}
	}
}

func TestHeader(t *testing.T) {
	for variable, want := range map[string]string{
		"HTTP_ACCEPT":          "Accept",
		"HTTP_X_FORWARDED_FOR": "X-Forwarded-For",
		"HTTP_X_FOO_BAR9":      "X-Foo-Bar9",
		"HTTP_9A_AA":           "9a-Aa",
		"HTTP_A__B":            "A--B",
		"CONTENT_TYPE":         "Content-Type",
		"CONTENT_LENGTH":       "Content-Length",
		"HTTP_CONTENT_TYPE":    "",
		"HTTP_CONTENT_LENGTH":  "",
		"HTTP_PROXY":           "",
		"HTTP_":                "",
		"HTTP":                 "",
		"HTTPS":                "",
		"http_accept":          "",
		"HTTP_accept":          "",
		"HTTP_X.Y":             "",
		"HTTP_X-Y":             "",
		"HTTP_X\nY":            "",
		"REMOTE_ADDR":          "",
		"":                     "",
	} {
		got, ok := cgi.Header(variable)
		if got != want || ok != (want != "") {
			t.Errorf("Header(%q) = %q, %v; want %q", variable, got, ok, want)
		}
	}
}

// common are names that browsers, proxies and programs send all the time.
var common = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection",
	"Content-Length", "Content-Type", "Cookie", "Host", "If-None-Match", "Origin", "Referer",
	"User-Agent", "X-Forwarded-For", "X-Forwarded-Proto",
}

func TestNamesRoundTrip(t *testing.T) {
	for _, header := range append(common, "X-Custom", "A", "9", "X-1-B") {
		variable, ok := cgi.Variable(header)
		if !ok {
			t.Errorf("Variable(%q) refused", header)
		}
		if back, _ := cgi.Header(variable); back != header {
			t.Errorf("Header(%q) = %q, want %q", variable, back, header)
		}
	}
}

func TestCommonNamesDoNotAllocate(t *testing.T) {
	for _, header := range common {
		var variable string
		allocs := testing.AllocsPerRun(10, func() {
			variable, _ = cgi.Variable(header)
			_, _ = cgi.Header(variable)
		})
		if allocs != 0 {
			t.Errorf("%s and %s: %v allocations", header, variable, allocs)
		}
	}
}

// FuzzNames holds that two header names share a variable only where HTTP takes
// them for one, and that a variable's header is canonical.
func FuzzNames(f *testing.F) {
	f.Add("Remote-User", "remote_user")
	f.Add("Accept", "ACCEPT")
	f.Add("Content-Type", "Http-Content-Type")
	f.Fuzz(func(t *testing.T, a, b string) {
		va, ok := cgi.Variable(a)
		vb, okB := cgi.Variable(b)
		if ok && okB && va == vb && !strings.EqualFold(a, b) {
			t.Fatalf("%q and %q are both %s", a, b, va)
		}
		if !ok {
			return
		}
		header, ok := cgi.Header(va)
		if !ok || header != textproto.CanonicalMIMEHeaderKey(a) {
			t.Fatalf("%q came back from %s as %q, %v", a, va, header, ok)
		}
	})
}
