package fcgi_test

import (
	"cmp"
	"io"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var requestDefects = []difference{
	{
		what: "`http.Request.RequestURI`", want: "/a?b=c",
		run: inspect(func(r *http.Request) string { return cmp.Or(r.RequestURI, "empty") }, "REQUEST_URI", "/a?b=c"),
	},
	{
		what: "`HTTP_HOST` is `example.com@other.com`", issue: 81686, want: "status 400",
		run: inspect(hosts, "HTTP_HOST", "example.com@other.com"),
	},
	{
		what: "`REQUEST_URI` is `@other.com/`", issue: 81686, want: "status 400",
		run: inspect(hosts, "REQUEST_URI", "@other.com/"),
	},
	{
		what: "`REQUEST_URI` comes without the query, as from servlet containers", issue: 54961, want: "a=b",
		run: inspect(func(r *http.Request) string { return cmp.Or(r.URL.RawQuery, "the query is lost") }, "REQUEST_URI", "/", "QUERY_STRING", "a=b"),
	},
	{
		what: "`REQUEST_URI` is `/joe?x`, and `QUERY_STRING` is `user=joe&x`, as nginx has rewritten it", holds: "W2", want: "user=joe&x",
		run: inspect(func(r *http.Request) string { return r.URL.RawQuery }, "REQUEST_URI", "/joe?x", "QUERY_STRING", "user=joe&x"),
	},
	{
		what: "No `REQUEST_URI`, and `PATH_INFO` is `/100%/a?b`", want: "path /100%/a?b",
		run: inspect(func(r *http.Request) string { return "path " + r.URL.Path }, "REQUEST_URI", "", "PATH_INFO", "/100%/a?b"),
	},
	{
		what: "No `SERVER_PROTOCOL`", want: "HTTP/1.0",
		run: inspect(func(r *http.Request) string { return r.Proto }, "SERVER_PROTOCOL", ""),
	},
	{
		what: "The client came over a Unix socket: nginx has `REMOTE_ADDR` be `unix:`", want: "RemoteAddr @",
		run: inspect(func(r *http.Request) string {
			return "RemoteAddr " + r.RemoteAddr
		}, "REMOTE_ADDR", "unix:", "REMOTE_PORT", ""),
	},
	{
		what: "`REQUEST_SCHEME` is `https`, and `HTTPS` is not set", want: "TLS is set",
		run: inspect(func(r *http.Request) string {
			if r.TLS == nil {
				return "TLS is nil"
			}
			return "TLS is set"
		}, "REQUEST_SCHEME", "https"),
	},
	{
		what: "A header field with CR and LF in it", want: "status 400",
		run: inspect(func(r *http.Request) string { return passedOn }, "HTTP_X_A", "a\r\nb"),
	},
	{
		what: "A parameter with NUL in it, which §6.1 bars", holds: "A22", want: "status 400, appStatus 1",
		run: inspect(func(*http.Request) string { return passedOn }, "NAME", "a\x00b"),
	},
	{
		what: "The last parameter is cut short", holds: "A20", want: "connection closed",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			plain := "\x0e\x03REQUEST_METHODGET\x0f\x08SERVER_PROTOCOLHTTP/1.1\x0b\x01REQUEST_URI/"
			w.send(begin(1, protocol.RoleResponder, keep), stream(protocol.TypeParams, 1, plain+"\x04\x05ROLEadm", ""), stdin(1, ""))
			if w.gone() != 0 {
				return "connection closed"
			}
			return "the handler runs without it"
		}),
	},
}

const passedOn = "passed on to the handler"

func hosts(r *http.Request) string {
	if r.URL.Host != r.Host {
		return "URL.Host other than Host: " + r.URL.Host
	}
	return r.Host
}

// inspect tells what a handler sees of a request, or what became of it.
func inspect(see func(*http.Request) string, pairs ...string) func(*testing.T, implementation) string {
	return inBubble(func(t *testing.T, impl implementation) string {
		seen := ""
		w := impl.start(t, func(w http.ResponseWriter, r *http.Request) {
			seen = see(r)
			io.WriteString(w, "seen")
		})
		w.send(get(1, pairs...))
		if a := w.answer(1); a.body() != "seen" {
			return describe(a)
		}
		return seen
	})
}
