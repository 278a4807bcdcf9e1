package fastcgi_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// httpRequestTests are parameters that replace or follow those of httpGet, and
// what becomes of them: for each field that is not as for httpGet alone, how it
// prints.
var httpRequestTests = []struct {
	name   string
	params []string
	want   map[string]string
}{
	{name: "nothing more"},

	{"method", []string{"REQUEST_METHOD", "PATCH"}, map[string]string{"Method": "PATCH"}},
	{"method of one's own", []string{"REQUEST_METHOD", "m-search"}, map[string]string{"Method": "m-search"}},

	{"HTTP/1.0", []string{"SERVER_PROTOCOL", "HTTP/1.0"}, map[string]string{"Proto": "HTTP/1.0 1 0"}},
	{"HTTP/2.0", []string{"SERVER_PROTOCOL", "HTTP/2.0"}, map[string]string{"Proto": "HTTP/2.0 2 0"}},
	{"HTTP/2", []string{"SERVER_PROTOCOL", "HTTP/2"}, map[string]string{"Proto": "HTTP/2 2 0"}},
	{"HTTP/3", []string{"SERVER_PROTOCOL", "HTTP/3"}, map[string]string{"Proto": "HTTP/3 3 0"}},
	{"server-side include", []string{"SERVER_PROTOCOL", "INCLUDED"}, map[string]string{"Proto": "INCLUDED 1 0"}},
	{"no protocol", []string{"SERVER_PROTOCOL", ""}, map[string]string{"Proto": "HTTP/1.0 1 0"}},

	{"path with all that stands for itself", []string{"REQUEST_URI", "/a-_.~$&+,:;=@/A9?a-_.~!$&'()*+,;=:@/?"}, map[string]string{"RequestURI": "/a-_.~$&+,:;=@/A9?a-_.~!$&'()*+,;=:@/?", "Path": "/a-_.~$&+,:;=@/A9", "RawQuery": "a-_.~!$&'()*+,;=:@/?"}},
	{"path with what net/url encodes", []string{"REQUEST_URI", "/!'()*"}, map[string]string{"RequestURI": "/!'()*", "Path": "/!'()*", "RawPath": "/!'()*"}},
	{"path with a number sign", []string{"REQUEST_URI", "/a#b"}, map[string]string{"RequestURI": "/a#b", "Path": "/a#b", "RawPath": "/a#b"}},
	{"path of bytes", []string{"REQUEST_URI", "/\xff?\xff"}, map[string]string{"RequestURI": "/\xff?\xff", "Path": "/\xff", "RawPath": "/\xff", "RawQuery": "\xff"}},
	{"path and query", []string{"REQUEST_URI", "/a/b?c=d&e"}, map[string]string{"RequestURI": "/a/b?c=d&e", "Path": "/a/b", "RawQuery": "c=d&e"}},
	{"empty query", []string{"REQUEST_URI", "/a?"}, map[string]string{"RequestURI": "/a?", "Path": "/a", "ForceQuery": "true"}},
	{"escaped path", []string{"REQUEST_URI", "/a%2Fb%20c%0a"}, map[string]string{"RequestURI": "/a%2Fb%20c%0a", "Path": "/a/b c\n", "RawPath": "/a%2Fb%20c%0a"}},
	{"two slashes", []string{"REQUEST_URI", "//evil.example/a"}, map[string]string{"RequestURI": "//evil.example/a", "Path": "//evil.example/a"}},
	{"three slashes", []string{"REQUEST_URI", "///a"}, map[string]string{"RequestURI": "///a", "Path": "///a"}},
	{"user in path", []string{"REQUEST_URI", "/@evil.example/"}, map[string]string{"RequestURI": "/@evil.example/", "Path": "/@evil.example/"}},
	{"asterisk", []string{"REQUEST_METHOD", "OPTIONS", "REQUEST_URI", "*"}, map[string]string{"Method": "OPTIONS", "RequestURI": "*", "Path": "*"}},
	{"absolute form", []string{"REQUEST_URI", "http://evil.example/a?b"}, map[string]string{"RequestURI": "http://evil.example/a?b", "Path": "/a", "RawQuery": "b"}},
	{"absolute form of https", []string{"REQUEST_URI", "HTTPS://u:p@evil.example:1/a"}, map[string]string{"RequestURI": "HTTPS://u:p@evil.example:1/a", "Path": "/a"}},
	{"absolute form with slashes", []string{"REQUEST_URI", "http://evil.example//other/a"}, map[string]string{"RequestURI": "http://evil.example//other/a", "Path": "//other/a"}},
	{"absolute form without path", []string{"REQUEST_URI", "http://evil.example"}, map[string]string{"RequestURI": "http://evil.example", "Path": "/"}},
	{"absolute form, query only", []string{"REQUEST_URI", "http://evil.example?/a"}, map[string]string{"RequestURI": "http://evil.example?/a", "Path": "/", "RawQuery": "/a"}},
	{"query of its own", []string{"REQUEST_URI", "/a", "QUERY_STRING", "b=c"}, map[string]string{"RequestURI": "/a", "Path": "/a", "RawQuery": "b=c"}},
	{"W2 query that is rewritten", []string{"REQUEST_URI", "/u/joe?x=1", "QUERY_STRING", "user=joe&x=1"}, map[string]string{"RequestURI": "/u/joe?x=1", "Path": "/u/joe", "RawQuery": "user=joe&x=1"}},
	{"W2 query that is taken away", []string{"REQUEST_URI", "/a?b", "QUERY_STRING", ""}, map[string]string{"RequestURI": "/a?b", "Path": "/a"}},

	{"no URI", []string{"REQUEST_URI", "", "SCRIPT_NAME", "/app", "PATH_INFO", "/a b", "QUERY_STRING", "c=d"}, map[string]string{"RequestURI": "/app/a%20b?c=d", "Path": "/app/a b", "RawQuery": "c=d"}},
	{"no URI, odd path", []string{"REQUEST_URI", "", "SCRIPT_NAME", "", "PATH_INFO", "//evil.example/?%\n"}, map[string]string{"RequestURI": "//evil.example/%3F%25%0A", "Path": "//evil.example/?%\n"}},
	{"no URI, path without slash", []string{"REQUEST_URI", "", "PATH_INFO", "http://evil.example/"}, map[string]string{"RequestURI": "/http://evil.example/", "Path": "/http://evil.example/"}},
	{"no URI at all", []string{"REQUEST_URI", ""}, nil},

	{"host with port", []string{"HTTP_HOST", "example.com:8080"}, map[string]string{"Host": "example.com:8080"}},
	{"host in brackets", []string{"HTTP_HOST", "[::1]:8080"}, map[string]string{"Host": "[::1]:8080"}},
	{"no host", []string{"HTTP_HOST", "", "SERVER_NAME", "server.example", "SERVER_PORT", "8080"}, map[string]string{"Host": "server.example:8080"}},
	{"no host, port 80", []string{"HTTP_HOST", "", "SERVER_NAME", "server.example", "SERVER_PORT", "80"}, map[string]string{"Host": "server.example"}},
	{"no host, port 443", []string{"HTTP_HOST", "", "SERVER_NAME", "server.example", "SERVER_PORT", "443"}, map[string]string{"Host": "server.example:443"}},
	{"no host, port 443 of https", []string{"HTTP_HOST", "", "SERVER_NAME", "server.example", "SERVER_PORT", "443", "HTTPS", "on"}, map[string]string{"Host": "server.example", "TLS": "0 0 "}},
	{"no host, no port", []string{"HTTP_HOST", "", "SERVER_NAME", "server.example"}, map[string]string{"Host": "server.example"}},
	{"no host, bad port", []string{"HTTP_HOST", "", "SERVER_NAME", "server.example", "SERVER_PORT", "80@evil.example"}, map[string]string{"Host": "server.example"}},
	{"no host, IPv6 server", []string{"HTTP_HOST", "", "SERVER_NAME", "2001:db8::1", "SERVER_PORT", "81"}, map[string]string{"Host": "[2001:db8::1]:81"}},
	{"no host, IPv6 server in brackets", []string{"HTTP_HOST", "", "SERVER_NAME", "[::1]", "SERVER_PORT", "80"}, map[string]string{"Host": "[::1]"}},
	{"no host, any server", []string{"HTTP_HOST", "", "SERVER_NAME", "_", "SERVER_PORT", "80"}, map[string]string{"Host": ""}},
	{"no host, pattern", []string{"HTTP_HOST", "", "SERVER_NAME", `~^www\d+$`, "SERVER_PORT", "80"}, map[string]string{"Host": ""}},
	{"no host, no server", []string{"HTTP_HOST", ""}, map[string]string{"Host": ""}},

	{"remote IPv6", []string{"REMOTE_ADDR", "2001:db8::1"}, map[string]string{"RemoteAddr": "[2001:db8::1]:1234"}},
	{"remote IPv6 in brackets", []string{"REMOTE_ADDR", "[::1]"}, map[string]string{"RemoteAddr": "[::1]:1234"}},
	{"remote without port", []string{"REMOTE_PORT", ""}, map[string]string{"RemoteAddr": "192.0.2.1:0"}},
	{"remote with bad port", []string{"REMOTE_PORT", "65536"}, map[string]string{"RemoteAddr": "192.0.2.1:0"}},
	{"remote unknown", []string{"REMOTE_ADDR", ""}, map[string]string{"RemoteAddr": "@"}},
	{"remote on a Unix socket", []string{"REMOTE_ADDR", "unix:", "REMOTE_PORT", ""}, map[string]string{"RemoteAddr": "@"}},
	{"remote on a Unix socket by its path", []string{"REMOTE_ADDR", "unix:/run/a", "REMOTE_PORT", ""}, map[string]string{"RemoteAddr": "@"}},
	{"remote on a Unix socket, path alone", []string{"REMOTE_ADDR", "/run/a", "REMOTE_PORT", "0"}, map[string]string{"RemoteAddr": "@"}},
	{"remote as of net/http", []string{"REMOTE_ADDR", "@"}, map[string]string{"RemoteAddr": "@"}},
	{"remote with its port", []string{"REMOTE_ADDR", "192.0.2.7:5678", "REMOTE_PORT", ""}, map[string]string{"RemoteAddr": "192.0.2.7:5678"}},
	{"remote with a port twice", []string{"REMOTE_ADDR", "192.0.2.7:5678"}, map[string]string{"RemoteAddr": "192.0.2.7:1234"}},
	{"remote IPv6 with its port", []string{"REMOTE_ADDR", "[2001:db8::1]:5678", "REMOTE_PORT", ""}, map[string]string{"RemoteAddr": "[2001:db8::1]:5678"}},
	{"remote IPv6 without port", []string{"REMOTE_ADDR", "2001:db8::1", "REMOTE_PORT", ""}, map[string]string{"RemoteAddr": "[2001:db8::1]:0"}},
	{"remote IPv6 with a zone", []string{"REMOTE_ADDR", "fe80::1%eth0"}, map[string]string{"RemoteAddr": "[fe80::1%eth0]:1234"}},
	{"remote IPv4 on a socket of IPv6", []string{"REMOTE_ADDR", "::ffff:192.0.2.7"}, map[string]string{"RemoteAddr": "192.0.2.7:1234"}},
	{"remote IPv6 that looks alike", []string{"REMOTE_ADDR", "::ffff:c000:207"}, map[string]string{"RemoteAddr": "[::ffff:c000:207]:1234"}},

	{"HTTPS on", []string{"HTTPS", "on"}, map[string]string{"TLS": "0 0 "}},
	{"HTTPS 1", []string{"HTTPS", "1"}, map[string]string{"TLS": "0 0 "}},
	{"HTTPS On", []string{"HTTPS", "On"}, map[string]string{"TLS": "0 0 "}},
	{"HTTPS off", []string{"HTTPS", "off"}, nil},
	{"W2 HTTPS off, scheme https", []string{"HTTPS", "off", "REQUEST_SCHEME", "https"}, nil},
	{"HTTPS empty", []string{"HTTPS", ""}, nil},
	{"scheme https", []string{"REQUEST_SCHEME", "https"}, map[string]string{"TLS": "0 0 "}},
	{"scheme http", []string{"REQUEST_SCHEME", "http"}, nil},
	{"no TLS, but a version", []string{"SSL_PROTOCOL", "TLSv1.3"}, nil},
	{"TLS 1.3", []string{"HTTPS", "on", "SSL_PROTOCOL", "TLSv1.3", "SSL_CIPHER", "TLS_AES_128_GCM_SHA256", "SSL_TLS_SNI", "example.com"}, map[string]string{"TLS": fmt.Sprint(tls.VersionTLS13, tls.TLS_AES_128_GCM_SHA256, " example.com")}},
	{"TLS 1.2", []string{"HTTPS", "on", "SSL_PROTOCOL", "TLSv1.2", "SSL_CIPHER", "ECDHE-RSA-AES128-GCM-SHA256"}, map[string]string{"TLS": fmt.Sprint(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, " ")}},
	{"TLS resumed", []string{"HTTPS", "on", "SSL_SESSION_RESUMED", "Resumed"}, map[string]string{"TLS": "0 0  resumed"}},
	{"TLS resumed, as nginx says", []string{"HTTPS", "on", "SSL_SESSION_RESUMED", "r"}, map[string]string{"TLS": "0 0  resumed"}},
	{"TLS not resumed", []string{"HTTPS", "on", "SSL_SESSION_RESUMED", "Initial"}, map[string]string{"TLS": "0 0 "}},
	{"TLS by other names", []string{"HTTPS", "on", "SSL_PROTOCOL", "TLSv9", "SSL_CIPHER", "ROT13"}, map[string]string{"TLS": "0 0 "}},

	{"header fields", []string{"HTTP_ACCEPT", "*/*", "HTTP_X_ONE_TWO", "1,2"}, map[string]string{"Header": `Accept: "*/*"; X-One-Two: "1,2"`}},
	{"content type", []string{"CONTENT_TYPE", "text/plain"}, map[string]string{"Header": `Content-Type: "text/plain"`}},
	{"content type twice", []string{"CONTENT_TYPE", "text/plain", "HTTP_CONTENT_TYPE", "text/html"}, map[string]string{"Header": `Content-Type: "text/plain"`}},
	{"field twice", []string{"HTTP_X_A", "client", "HTTP_X_A", "server"}, map[string]string{"Header": `X-A: "server"`}},
	{"field thrice", []string{"HTTP_X_A", "1", "HTTP_X_B", "2", "HTTP_X_A", "3", "HTTP_X_A", "4"}, map[string]string{"Header": `X-A: "4"; X-B: "2"`}},
	{"field taken away", []string{"HTTP_X_A", "client", "HTTP_X_A", ""}, nil},
	{"field back again", []string{"HTTP_X_A", "1", "HTTP_X_A", "", "HTTP_X_A", "2"}, map[string]string{"Header": `X-A: "2"`}},
	{"address that HAProxy's configuration replaces", []string{"HTTP_X_FORWARDED_FOR", "192.0.2.66", "HTTP_X_FORWARDED_FOR", "192.0.2.1"}, map[string]string{"Header": `X-Forwarded-For: "192.0.2.1"`}},
	{"authorization twice", []string{"HTTP_AUTHORIZATION", "Basic dTpw", "HTTP_AUTHORIZATION", "Basic YTpi"}, map[string]string{"Header": `Authorization: "Basic YTpi"`}},
	{"host twice", []string{"HTTP_HOST", "evil.example", "HTTP_HOST", "server.example"}, map[string]string{"Host": "server.example"}},
	{"length twice", []string{"CONTENT_LENGTH", "7", "CONTENT_LENGTH", "5"}, map[string]string{"ContentLength": "5", "Header": `Content-Length: "5"`}},
	{"list in lines", []string{"HTTP_ACCEPT", "a/b", "HTTP_X_A", "1", "HTTP_ACCEPT", "c/d, e/f"}, map[string]string{"Header": `Accept: "a/b"; Accept: "c/d, e/f"; X-A: "1"`}},
	{"list taken away", []string{"HTTP_COOKIE", "a=1", "HTTP_COOKIE", "b=2", "HTTP_COOKIE", ""}, nil},
	{"list begun again", []string{"HTTP_COOKIE", "a=1", "HTTP_COOKIE", "", "HTTP_COOKIE", "b=2", "HTTP_COOKIE", "c=3"}, map[string]string{"Header": `Cookie: "b=2"; Cookie: "c=3"`}},
	{"empty field", []string{"HTTP_X_A", ""}, nil},
	{"no field", []string{"X_A", "1", "HTTP_", "2", "HTTP_a", "3", "HTTP_A-B", "4"}, nil},
	{"CVE-2016-5386 proxy", []string{"HTTP_PROXY", "http://evil.example/"}, nil},
	{"transfer coding", []string{"HTTP_TRANSFER_ENCODING", "chunked"}, nil},
	{"pragma", []string{"HTTP_PRAGMA", "no-cache"}, map[string]string{"Header": `Cache-Control: "no-cache"; Pragma: "no-cache"`}},
	{"pragma and cache control", []string{"HTTP_PRAGMA", "no-cache", "HTTP_CACHE_CONTROL", "max-age=0"}, map[string]string{"Header": `Cache-Control: "max-age=0"; Pragma: "no-cache"`}},
	{"authorization", []string{"HTTP_AUTHORIZATION", "Basic dTpw"}, map[string]string{"Header": `Authorization: "Basic dTpw"`}},

	{"length", []string{"CONTENT_LENGTH", "5"}, map[string]string{"ContentLength": "5", "Header": `Content-Length: "5"`}},
	{"length zero", []string{"REQUEST_METHOD", "POST", "CONTENT_LENGTH", "0"}, map[string]string{"Method": "POST", "ContentLength": "0 NoBody", "Header": `Content-Length: "0"`}},
	{"length zero of lighttpd's", []string{"CONTENT_LENGTH", "0"}, nil},
	{"length not known, as Caddy says", []string{"CONTENT_LENGTH", "-1"}, nil},
	{"largest length", []string{"CONTENT_LENGTH", "9223372036854775807"}, map[string]string{"ContentLength": "9223372036854775807", "Header": `Content-Length: "9223372036854775807"`}},
}

// httpRequestDefaults is what becomes of httpGet alone.
var httpRequestDefaults = map[string]string{
	"Method": "GET", "Proto": "HTTP/1.1 1 1", "RequestURI": "/", "Path": "/", "RawPath": "", "RawQuery": "",
	"ForceQuery": "false", "URL.Host": "", "Host": "example.com", "RemoteAddr": "192.0.2.1:1234", "TLS": "none",
	"Header": "", "ContentLength": "0 NoBody",
}

func TestHTTPRequest(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		requests := make(chan map[string]string, 1)
		web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			requests <- describe(r)
		})).dial(t)
		for _, tt := range httpRequestTests {
			if a := web.ask(1, httpGet(tt.params...)...); a.status() != 200 {
				t.Errorf("%s: got %q", tt.name, a.stdout.String())
				continue
			}
			got := <-requests
			for field, want := range httpRequestDefaults {
				if other, ok := tt.want[field]; ok {
					want = other
				}
				if got[field] != want {
					t.Errorf("%s: %s is %q, want %q", tt.name, field, got[field], want)
				}
			}
		}
	})
}

// describe prints the fields of a request.
func describe(r *http.Request) map[string]string {
	length := strconv.FormatInt(r.ContentLength, 10)
	if r.Body == http.NoBody {
		length += " NoBody"
	}
	tlsState := "none"
	if r.TLS != nil && r.TLS.HandshakeComplete {
		tlsState = fmt.Sprint(r.TLS.Version, r.TLS.CipherSuite, " ", r.TLS.ServerName)
		if r.TLS.DidResume {
			tlsState += " resumed"
		}
	}
	var header []string
	for name, values := range r.Header {
		for _, v := range values {
			header = append(header, fmt.Sprintf("%s: %q", name, v))
		}
	}
	slices.Sort(header)
	return map[string]string{
		"Method": r.Method, "Proto": fmt.Sprint(r.Proto, " ", r.ProtoMajor, r.ProtoMinor), "RequestURI": r.RequestURI,
		"Path": r.URL.Path, "RawPath": r.URL.RawPath, "RawQuery": r.URL.RawQuery, "ForceQuery": fmt.Sprint(r.URL.ForceQuery),
		"URL.Host": r.URL.Host + r.URL.Scheme + r.URL.Opaque + r.URL.User.String(), "Host": r.Host,
		"RemoteAddr": r.RemoteAddr, "TLS": tlsState, "Header": strings.Join(header, "; "), "ContentLength": length,
	}
}

// Header fields are many or few, and each has its own value, to which a handler may append.
func TestHTTPManyFields(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		headers := make(chan http.Header, 1)
		web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for name := range r.Header {
				r.Header.Add(name, "more")
			}
			headers <- r.Header
		})).dial(t)
		for n := range 40 {
			params := []string{"HTTP_ACCEPT", "a", "HTTP_ACCEPT", "b", "CONTENT_TYPE", ""}
			want := http.Header{"Accept": {"a", "b", "more"}}
			for i := range n {
				value := strconv.Itoa(i)
				params = append(params, "HTTP_X_"+value, value)
				want["X-"+value] = []string{value, "more"}
			}
			web.ask(1, httpGet(params...)...)
			if got := <-headers; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

// A request that net/http would not let through does not reach the handler.
func TestHTTPRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		params []string
		logged string
	}{
		{"no method", []string{"REQUEST_METHOD", ""}, "REQUEST_METHOD"},
		{"bad method", []string{"REQUEST_METHOD", "GET /"}, "REQUEST_METHOD"},
		{"bad protocol", []string{"SERVER_PROTOCOL", "HTTPS"}, "SERVER_PROTOCOL"},
		{"relative URI", []string{"REQUEST_URI", "a"}, "REQUEST_URI"},
		{"opaque URI", []string{"REQUEST_URI", "mailto:a"}, "REQUEST_URI"},
		{"URI of another scheme", []string{"REQUEST_URI", "ftp://evil.example/"}, "REQUEST_URI"},
		{"URI of a scheme alone", []string{"REQUEST_URI", "a:"}, "REQUEST_URI"},
		{"URI of a scheme and a path", []string{"REQUEST_URI", "a:/b"}, "REQUEST_URI"},
		{"authority", []string{"REQUEST_METHOD", "CONNECT", "REQUEST_URI", "evil.example:80"}, "REQUEST_URI"},
		{"URI with a newline", []string{"REQUEST_URI", "/\n"}, "REQUEST_URI"},
		{"URI with a bad escape", []string{"REQUEST_URI", "/%zz"}, "REQUEST_URI"},
		{"query with a newline", []string{"REQUEST_URI", "", "QUERY_STRING", "\n"}, "QUERY_STRING"},
		{"URI's query with a newline", []string{"REQUEST_URI", "/?\n", "QUERY_STRING", ""}, "REQUEST_URI"},
		{"query of its own with a newline", []string{"QUERY_STRING", "\n"}, "QUERY_STRING"},
		{"host with a path", []string{"HTTP_HOST", "a/b"}, "HTTP_HOST"},
		{"host with a user", []string{"HTTP_HOST", "a@b"}, "HTTP_HOST"},
		{"host with a newline", []string{"HTTP_HOST", "a\nb"}, "HTTP_HOST"},
		{"host with a space", []string{"HTTP_HOST", "a b"}, "HTTP_HOST"},
		{"negative length", []string{"CONTENT_LENGTH", "-2"}, "CONTENT_LENGTH"},
		{"length with a sign", []string{"CONTENT_LENGTH", "+1"}, "CONTENT_LENGTH"},
		{"length with a letter", []string{"CONTENT_LENGTH", "1a"}, "CONTENT_LENGTH"},
		{"length beyond 63 bits", []string{"CONTENT_LENGTH", "9223372036854775808"}, "CONTENT_LENGTH"},
		{"header with a newline", []string{"HTTP_X_A", "a\r\nB: c"}, "HTTP_X_A"},
		{"header with a control character", []string{"HTTP_X_B", "\x1b"}, "HTTP_X_B"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				app := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					t.Errorf("the handler was given %s %s", r.Method, r.URL)
				}))
				got := app.dial(t).ask(1, httpGet(tt.params...)...)
				if got.status() != 400 || got.end.AppStatus != 0 {
					t.Errorf("got %q, %+v", got.stdout.String(), got.end)
				}
				app.log.expect(t, "not an HTTP request", tt.logged)
			})
		})
	}
}

// The body is what CONTENT_LENGTH says (A40), or else all that comes.
func TestHTTPBody(t *testing.T) {
	type read struct {
		length int64
		body   string
		err    error
	}
	for _, tt := range []struct {
		name, length string
		parts        [][]byte
		want         read
	}{
		{"right", "5", [][]byte{stdin(1, "12345"), stdinEnd(1)}, read{5, "12345", nil}},
		{"short", "6", [][]byte{stdin(1, "12345"), stdinEnd(1)}, read{6, "12345", io.ErrUnexpectedEOF}},
		{"long", "4", [][]byte{stdin(1, "12345"), stdinEnd(1)}, read{4, "1234", nil}},
		{"long without an end", "4", [][]byte{stdin(1, "12345")}, read{4, "1234", nil}},
		{"length zero", "0", [][]byte{stdin(1, "12345"), stdinEnd(1)}, read{0, "", nil}},
		{"whole without a length", "", [][]byte{stdin(1, "12345"), stdinEnd(1)}, read{-1, "12345", nil}},
		{"whole, not known", "-1", [][]byte{stdin(1, "12345"), stdinEnd(1)}, read{-1, "12345", nil}},
		{"none without a length", "", [][]byte{stdinEnd(1)}, read{0, "", nil}},
		{"disconnect", "5", [][]byte{stdin(1, "123"), nil}, read{5, "123", io.ErrUnexpectedEOF}},
		{"abort", "5", [][]byte{abort(1)}, read{5, "", fastcgi.ErrAborted}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				got := make(chan read)
				web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					got <- read{r.ContentLength, string(body), err}
				})).dial(t)
				request := start(1, true, httpGet("REQUEST_METHOD", "POST", "CONTENT_LENGTH", tt.length)...)
				web.send(append([][]byte{request}, tt.parts...)...)
				if tt.parts[len(tt.parts)-1] == nil {
					web.Close()
				}
				if got := receive(t, got); got != tt.want {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// Where a body is unusual, there is none unless some of it is there, however late its end comes. A handler that reads
// finds it all the same.
func TestHTTPLateBody(t *testing.T) {
	type begun struct {
		length int64
		noBody bool
	}
	for _, tt := range []struct {
		method, upgrade string
		late            []byte
		want            begun
		body            string
	}{
		{"GET", "", nil, begun{0, false}, ""},
		{"HEAD", "", nil, begun{0, false}, ""},
		{"DELETE", "", nil, begun{0, false}, ""},
		{"OPTIONS", "", nil, begun{0, false}, ""},
		{"TRACE", "", nil, begun{0, false}, ""},
		{"POST", "", nil, begun{-1, false}, ""},
		{"PROPFIND", "", nil, begun{-1, false}, ""},
		{"GET", "", stdin(1, "late"), begun{0, false}, "late"},
		{"GET", "websocket", stdin(1, "late"), begun{0, true}, ""},
		{"POST", "websocket", stdin(1, "late"), begun{-1, false}, "late"},
	} {
		t.Run(tt.method+" "+tt.upgrade+" "+tt.body, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				begins := make(chan begun)
				web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					begins <- begun{r.ContentLength, r.Body == http.NoBody}
					if body, err := io.ReadAll(r.Body); string(body) != tt.body || err != nil {
						t.Errorf("body %q, %v", body, err)
					}
				})).dial(t)
				web.send(start(1, true, httpGet("REQUEST_METHOD", tt.method, "HTTP_UPGRADE", tt.upgrade)...))
				if got := receive(t, begins); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				web.send(tt.late, stdinEnd(1))
				web.answer(1)
			})
		})
	}
}

// A body whose length nobody knows streams, and so does the answer to it.
func TestHTTPBodyOfUnknownLength(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.ContentLength, " ")
			w.(http.Flusher).Flush()
			_, err := io.Copy(flushing{w}, r.Body)
			fmt.Fprint(w, err)
		})).dial(t)
		web.send(start(1, true, httpGet("REQUEST_METHOD", "POST")...))
		web.untilStdout(1, "-1 ")
		for _, piece := range []string{"abc", "def"} {
			web.send(stdin(1, piece))
			web.untilStdout(1, piece)
		}
		web.send(stdinEnd(1))
		if got := web.answer(1).body(); got != "-1 abcdef<nil>" {
			t.Errorf("got %q", got)
		}
	})
}

// flushing flushes after each write.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}
