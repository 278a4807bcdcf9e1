package cgi_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

var usual = []protocol.Pair{
	{Name: "REQUEST_METHOD", Value: "GET"},
	{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
	{Name: "REQUEST_URI", Value: "/"},
	{Name: "HTTP_HOST", Value: "example.com"},
	{Name: "REMOTE_ADDR", Value: "192.0.2.1"},
	{Name: "REMOTE_PORT", Value: "1234"},
}

// variables are the usual ones, without what names has, and then names with their values.
func variables(names ...string) protocol.Pairs {
	replaced := make(map[string]bool)
	var more []protocol.Pair
	for i := 0; i < len(names); i += 2 {
		replaced[names[i]] = true
		more = append(more, protocol.Pair{Name: names[i], Value: names[i+1]})
	}
	var all []protocol.Pair
	for _, p := range usual {
		if !replaced[p.Name] {
			all = append(all, p)
		}
	}
	return protocol.NewPairs(append(all, more...)...)
}

func fill(t *testing.T, names ...string) *http.Request {
	t.Helper()
	var r cgi.Request
	if _, err := r.Fill(t.Context(), variables(names...)); err != nil {
		t.Fatalf("%q: %v", names, err)
	}
	return &r.HTTP
}

type contextKey struct{}

func TestFillContext(t *testing.T) {
	var r cgi.Request
	ctx := context.WithValue(t.Context(), contextKey{}, "a")
	if _, err := r.Fill(ctx, variables()); err != nil || r.HTTP.Context() != ctx {
		t.Errorf("context %v, error %v", r.HTTP.Context(), err)
	}
	if r.HTTP.URL != &r.URL {
		t.Error("the URL has memory of its own")
	}
}

// What the web server vouches for decides, and not what the client wrote.
func TestW2(t *testing.T) {
	query := func(r *http.Request) string { return fmt.Sprintf("%s %v", r.URL.RawQuery, r.URL.ForceQuery) }
	path := func(r *http.Request) string { return r.URL.Path }
	host := func(r *http.Request) string { return r.Host + r.URL.Host }
	remote := func(r *http.Request) string { return r.RemoteAddr }
	method := func(r *http.Request) string { return r.Method }
	isTLS := func(r *http.Request) string { return strconv.FormatBool(r.TLS != nil) }
	length := func(r *http.Request) string {
		return fmt.Sprint(r.ContentLength, r.Header["Content-Length"], r.Header["Transfer-Encoding"], r.TransferEncoding)
	}
	mediaType := func(r *http.Request) string { return r.Header.Get("Content-Type") }
	for _, tt := range []struct {
		name      string
		variables []string
		fact      func(*http.Request) string
		want      string
	}{
		{"query that nginx has rewritten", []string{"REQUEST_URI", "/u/joe?x=1", "QUERY_STRING", "user=joe&x=1"}, query, "user=joe&x=1 false"},
		{"query that a rewrite takes away", []string{"REQUEST_URI", "/u/joe?x=1", "QUERY_STRING", ""}, query, " false"},
		{"query that was there, then taken away", []string{"REQUEST_URI", "/?x=1", "QUERY_STRING", "x=1", "QUERY_STRING", ""}, query, " false"},
		{"query of a servlet container", []string{"REQUEST_URI", "/u", "QUERY_STRING", "a=b"}, query, "a=b false"},
		{"query of a web server without QUERY_STRING", []string{"REQUEST_URI", "/u?x=1"}, query, "x=1 false"},
		{"query with nothing in it", []string{"REQUEST_URI", "/u?", "QUERY_STRING", ""}, query, " true"},
		{"query with nothing in it, rewritten", []string{"REQUEST_URI", "/u?", "QUERY_STRING", "a"}, query, "a false"},
		{"query with nothing in it, without QUERY_STRING", []string{"REQUEST_URI", "/u?"}, query, " true"},
		{"query with a question mark", []string{"REQUEST_URI", "/u?x", "QUERY_STRING", "a?b"}, query, "a?b false"},
		{"query with a number sign", []string{"REQUEST_URI", "/u", "QUERY_STRING", "a#b"}, query, "a#b false"},
		{"query behind an encoded question mark", []string{"REQUEST_URI", "/u%3Fx=1", "QUERY_STRING", ""}, query, " false"},
		{"query of *", []string{"REQUEST_URI", "*", "QUERY_STRING", "a"}, query, " false"},
		{"query of a whole URL", []string{"REQUEST_URI", "http://a/u?x", "QUERY_STRING", "b"}, query, "b false"},
		{"path with an encoded question mark", []string{"REQUEST_URI", "/u%3Fx", "QUERY_STRING", "a"}, path, "/u?x"},
		// What the path means is up to the web server's PATH_INFO: StripScriptName.
		{"path that is rewritten", []string{"REQUEST_URI", "/old", "SCRIPT_NAME", "/app.fcgi", "PATH_INFO", "/new"}, path, "/old"},
		{"path in a header field of IIS", []string{"HTTP_X_ORIGINAL_URL", "/admin", "HTTP_X_REWRITE_URL", "/admin"}, path, "/"},
		{"host in the URL", []string{"REQUEST_URI", "http://evil.example/"}, host, "example.com"},
		{"host, and another name of the web server", []string{"SERVER_NAME", "first.example"}, host, "example.com"},
		{"host of a proxy", []string{"HTTP_X_FORWARDED_HOST", "evil.example", "HTTP_FORWARDED", "host=evil.example"}, host, "example.com"},
		{"address of a proxy", []string{"HTTP_X_FORWARDED_FOR", "192.0.2.66", "HTTP_X_REAL_IP", "192.0.2.66"}, remote, "192.0.2.1:1234"},
		{"address in a header field", []string{"HTTP_REMOTE_ADDR", "192.0.2.66"}, remote, "192.0.2.1:1234"},
		{"port twice", []string{"REMOTE_ADDR", "192.0.2.7:5678"}, remote, "192.0.2.7:1234"},
		{"port with the address", []string{"REMOTE_ADDR", "192.0.2.7:5678", "REMOTE_PORT", ""}, remote, "192.0.2.7:5678"},
		{"HTTPS against the scheme", []string{"HTTPS", "on", "REQUEST_SCHEME", "http"}, isTLS, "true"},
		{"HTTPS off against the scheme", []string{"HTTPS", "off", "REQUEST_SCHEME", "https"}, isTLS, "false"},
		{"HTTPS 0 against the scheme", []string{"HTTPS", "0", "REQUEST_SCHEME", "https"}, isTLS, "false"},
		{"HTTPS empty, the scheme says it", []string{"HTTPS", "", "REQUEST_SCHEME", "https"}, isTLS, "true"},
		{"scheme of the URL", []string{"REQUEST_URI", "https://example.com/"}, isTLS, "false"},
		{"scheme of a proxy", []string{"HTTP_X_FORWARDED_PROTO", "https", "HTTP_HTTPS", "on"}, isTLS, "false"},
		{"certificate in a header field", []string{"HTTP_SSL_CLIENT_CERT", "x", "HTTP_SSL_CLIENT_VERIFY", "SUCCESS"}, isTLS, "false"},
		{"length twice", []string{"CONTENT_LENGTH", "5", "HTTP_CONTENT_LENGTH", "7"}, length, "5 [5] [] []"},
		{"length that only the client tells", []string{"HTTP_CONTENT_LENGTH", "7"}, length, "-1 [] [] []"},
		{"length and a transfer coding", []string{"CONTENT_LENGTH", "5", "HTTP_TRANSFER_ENCODING", "chunked"}, length, "5 [5] [] []"},
		{"media type twice", []string{"CONTENT_TYPE", "a/b", "HTTP_CONTENT_TYPE", "c/d"}, mediaType, "a/b"},
		{"media type that only the client tells", []string{"HTTP_CONTENT_TYPE", "c/d"}, mediaType, ""},
		{"method in a header field", []string{"HTTP_X_HTTP_METHOD_OVERRIDE", "DELETE", "HTTP_REQUEST_METHOD", "DELETE"}, method, "GET"},
	} {
		if got := tt.fact(fill(t, tt.variables...)); got != tt.want {
			t.Errorf("W2 %s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestW2RequestURIStays(t *testing.T) {
	for _, uri := range []string{"/u/joe?x=1", "/u/joe?", "http://a/u?x"} {
		if got := fill(t, "REQUEST_URI", uri, "QUERY_STRING", "user=joe").RequestURI; got != uri {
			t.Errorf("RequestURI is %q, want %q", got, uri)
		}
	}
}

// The length is what CONTENT_LENGTH says, and the body is up to the caller unless there is none.
func TestFillLength(t *testing.T) {
	for _, tt := range []struct {
		method, length string
		want           int64
		field          string
	}{
		{"POST", "5", 5, "5"},
		{"POST", "0", 0, "0"},
		{"GET", "0", 0, ""},
		{"POST", "", -1, ""},
		{"POST", "-1", -1, ""},
		{"POST", "9223372036854775807", 1<<63 - 1, "9223372036854775807"},
	} {
		r := fill(t, "REQUEST_METHOD", tt.method, "CONTENT_LENGTH", tt.length)
		if r.ContentLength != tt.want || r.Header.Get("Content-Length") != tt.field || (r.Body == http.NoBody) != (tt.want == 0) {
			t.Errorf("%s %q: length %d, field %q, body %v", tt.method, tt.length, r.ContentLength, r.Header.Get("Content-Length"), r.Body)
		}
	}
}

// What is no request of net/http, with the variable that is why.
func TestFillRefuses(t *testing.T) {
	for _, names := range [][]string{
		{"REQUEST_METHOD", ""},
		{"REQUEST_METHOD", "GET /"},
		{"SERVER_PROTOCOL", "HTTPS"},
		{"REQUEST_URI", "a"},
		{"REQUEST_URI", "ftp://a/"},
		{"REQUEST_URI", "/%zz"},
		{"REQUEST_URI", "/?\n", "QUERY_STRING", "a"},
		{"QUERY_STRING", "\n"},
		{"QUERY_STRING", "\x7f"},
		{"HTTP_HOST", "a/b"},
		{"CONTENT_LENGTH", "+1"},
		{"CONTENT_LENGTH", "9223372036854775808"},
		{"HTTP_X_A", "a\r\nB: c"},
	} {
		var r cgi.Request
		if _, err := r.Fill(t.Context(), variables(names...)); err == nil || !strings.Contains(err.Error(), names[0]) {
			t.Errorf("%q: error %v", names, err)
		}
	}
}

// As many header fields as there is room for, one fewer and one more.
func TestFillFields(t *testing.T) {
	for _, n := range []int{0, 15, 16, 17, 40} {
		var names []string
		for i := range n {
			names = append(names, "HTTP_X_"+strconv.Itoa(i), strconv.Itoa(i))
		}
		header := fill(t, names...).Header
		if len(header) != n {
			t.Errorf("%d fields of %d", len(header), n)
		}
		for i := range n {
			name := "X-" + strconv.Itoa(i)
			if got := header[name]; len(got) != 1 || got[0] != strconv.Itoa(i) || cap(got) != 1 {
				t.Errorf("%d fields: %s is %q, with room for %d", n, name, got, cap(got))
			}
		}
	}
}

// The caller brings the memory, but for the header's map.
func TestFillAllocations(t *testing.T) {
	p := variables("QUERY_STRING", "a=b", "REQUEST_URI", "/a?b", "HTTP_ACCEPT", "*/*", "HTTP_USER_AGENT", "a", "CONTENT_LENGTH", "")
	r := new(cgi.Request)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := r.Fill(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}); n > 3 {
		t.Errorf("%v allocations, at most 3 are allowed: the header's map and the address", n)
	}
}

func TestFillProxiedNames(t *testing.T) {
	for _, tt := range []struct{ script, query, want string }{
		{"/srv/app.fcgi", "", "/srv/app.fcgi"},
		{"proxy:fcgi://127.0.0.1:9000/srv/app.fcgi", "", "/srv/app.fcgi"},
		{"proxy:fcgi://localhost/srv/app.fcgi?a=b", "a=b", "/srv/app.fcgi"},
		{"proxy:balancer://app/srv/app.fcgi", "", "/srv/app.fcgi"},
		{"proxy:fcgi://127.0.0.1:9000", "", ""},
	} {
		p := variables("SCRIPT_FILENAME", tt.script, "QUERY_STRING", tt.query, "X_NAME", "proxy:fcgi://x/y")
		var r cgi.Request
		got, err := r.Fill(t.Context(), p)
		if err != nil || got.Get("SCRIPT_FILENAME") != tt.want || got.Get("X_NAME") != "proxy:fcgi://x/y" || got.Len() != p.Len() {
			t.Errorf("%s: got %q, %v", tt.script, got.Environ(), err)
		}
	}
}
