package fastcgi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// mountTests are how web servers split a path, and what the handler is to make of it. Those of Apache and lighttpd are
// what these send.
var mountTests = []struct {
	name, uri, scriptName, pathInfo string
	path, rawPath, base             string
}{
	{"prefix", "/sub/a/b", "/sub", "/a/b", "/a/b", "", "/sub"},
	{"prefix alone", "/sub", "/sub", "", "/", "", "/sub"},
	{"prefix with a slash", "/sub/", "/sub", "/", "/", "", "/sub"},
	{"prefix that ends in a slash", "/sub/a", "/sub/", "a", "/a", "", "/sub"},
	{"two segments", "/sub/sub/a", "/sub/sub", "/a", "/a", "", "/sub/sub"},
	{"the same again", "/sub/sub", "/sub", "/sub", "/sub", "", "/sub"},
	{"root", "/a", "", "/a", "/a", "", ""},
	{"root as a slash", "/a", "/", "a", "/a", "", ""},
	{"encoded slash", "/sub/a%2Fb", "/sub", "/a/b", "/a/b", "/a%2Fb", "/sub"},
	{"encoded more than need be", "/sub/%61", "/sub", "/a", "/a", "/%61", "/sub"},
	{"encoded as usual", "/sub/a%20b%C3%BC", "/sub", "/a bü", "/a bü", "", "/sub"},
	{"encoded prefix", "/s%C3%BCb%20/a", "/süb ", "/a", "/a", "", "/s%C3%BCb%20"},
	{"encoded slash at the cut", "/sub%2Fa", "/sub", "/a", "/a", "", "/sub"},
	{"script", "/app.fcgi/x/y", "/app.fcgi", "/x/y", "/x/y", "", "/app.fcgi"},
	{"script alone", "/app.fcgi", "/app.fcgi", "", "/", "", "/app.fcgi"},
	{"script as the index of a folder", "/", "/app.fcgi", "", "/", "", "/app.fcgi"},
	{"rewritten by .htaccess", "/u/a/b", "/u/app.fcgi", "/a/b", "/a/b", "", "/u"},
	{"rewritten by .htaccess, root", "/u/", "/u/app.fcgi", "/", "/", "", "/u"},
	{"rewritten by .htaccess, more slashes", "//u//a", "/u/app.fcgi", "/a", "/a", "", "/u/app.fcgi"},
	{"rewritten by Apache", "/blog/2024/x", "/app.fcgi", "/2024/x", "/2024/x", "", "/blog"},
	{"rewritten to another path", "/old", "/app.fcgi", "/new", "/new", "", "/app.fcgi"},
	{"slashes merged", "/sub//a", "/sub", "/a", "/a", "", "/sub"},
	{"dots resolved", "/x/../sub/a", "/sub", "/a", "/a", "", "/sub"},
	{"not split", "/sub/a", "/sub/a", "", "/", "", "/sub/a"},

	// What would be another host where it is written as a link.
	{"host in the path", "/sub//evil.example/a", "/sub", "//evil.example/a", "/evil.example/a", "", "/sub"},
	{"host in the prefix", "//evil.example/app.fcgi/a", "//evil.example/app.fcgi", "/a", "/a", "", "/evil.example/app.fcgi"},
	{"host after a backslash", `/\evil.example/app.fcgi/a`, `/\evil.example/app.fcgi`, "/a", "/a", "", "/%5Cevil.example/app.fcgi"},
}

// serveMounted starts a server of a router that was mounted.
func (p place) serveMounted(t testing.TB, h http.HandlerFunc) *web {
	return p.serveHTTP(t, fastcgi.StripScriptName(h)).dial(t)
}

func split(uri, scriptName, pathInfo string) []string {
	return httpGet("REQUEST_URI", uri, "SCRIPT_NAME", scriptName, "PATH_INFO", pathInfo)
}

func TestStripScriptName(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		type seen struct{ path, rawPath, base, query, uri string }
		requests := make(chan seen, 1)
		web := p.serveMounted(t, func(_ http.ResponseWriter, r *http.Request) {
			requests <- seen{r.URL.Path, r.URL.RawPath, fastcgi.BasePath(r.Context()), r.URL.RawQuery, r.RequestURI}
		})
		for _, tt := range mountTests {
			if a := web.ask(1, split(tt.uri+"?q=1", tt.scriptName, tt.pathInfo)...); a.status() != 200 {
				t.Errorf("%s: got %q", tt.name, a.stdout.String())
				continue
			}
			want := seen{tt.path, tt.rawPath, tt.base, "q=1", tt.uri + "?q=1"}
			if got := <-requests; got != want {
				t.Errorf("%s: got %q, want %q", tt.name, got, want)
			}
		}
	})
}

// A handler does not find out whether it was mounted twice, and what is around it keeps its own request.
func TestStripScriptNameNests(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		inner := fastcgi.StripScriptName(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.URL.Path, " below ", fastcgi.BasePath(r.Context()))
		}))
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, fastcgi.BasePath(r.Context()), ";")
			fastcgi.StripScriptName(inner).ServeHTTP(w, r)
			fmt.Fprint(w, ";", r.URL.Path)
		})).dial(t)
		if got := web.ask(1, split("/sub/a", "/sub", "/a")...).body(); got != ";/a below /sub;/sub/a" {
			t.Errorf("got %q", got)
		}
	})
}

func TestStripScriptNamePasses(t *testing.T) {
	handler := fastcgi.StripScriptName(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path+fastcgi.BasePath(r.Context()))
	}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/sub/a", nil))
	if got := w.Body.String(); got != "/sub/a" {
		t.Errorf("a request of net/http: path %q", got)
	}
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, handler).dial(t)
		if got := web.ask(1, httpGet("REQUEST_METHOD", "OPTIONS", "REQUEST_URI", "*")...).body(); got != "*" {
			t.Errorf("a request for *: path %q", got)
		}
	})
}

// A redirect to a path of the handler's own leads there.
func TestStripScriptNameLocation(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveMounted(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(http.StatusSeeOther)
		})
		for to, want := range map[string]string{
			"/":                        "/sub/",
			"/a/?b":                    "/sub/a/?b",
			"/sub":                     "/sub",
			"/sub/a":                   "/sub/a",
			"/sub?a":                   "/sub?a",
			"/sub#a":                   "/sub#a",
			"/subway":                  "/sub/subway",
			"a":                        "a",
			"":                         "",
			"?a":                       "?a",
			"//example.org/a":          "//example.org/a",
			"https://example.org/a":    "https://example.org/a",
			"https://example.com/sub/": "https://example.com/sub/",
		} {
			got := web.ask(1, split("/sub/x?to="+url.QueryEscape(to), "/sub", "/x")...)
			if line := "Location: " + want + "\r\nStatus: "; !strings.HasPrefix(got.stdout.String(), line) {
				t.Errorf("to %q: got %q, want %q", to, got.stdout.String(), line)
			}
		}
	})
}

// An upgrade that is refused after WriteHeader takes nothing from what is mounted.
func TestStripScriptNameAfterHijack(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveMounted(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusSwitchingProtocols)
			if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
				t.Error("a request without an Upgrade field was hijacked")
			}
			http.Redirect(w, r, "/a", http.StatusSeeOther)
		})
		got := web.ask(1, split("/sub/x", "/sub", "/x")...)
		if got.status() != 303 || !strings.HasPrefix(got.stdout.String(), "Location: /sub/a\r\nStatus: ") {
			t.Errorf("got %q", got.stdout.String())
		}
	})
}

// FuzzStripScriptName holds that whatever a client and a web server write, the handler sees a path, and a link that it
// makes is one to a path.
func FuzzStripScriptName(f *testing.F) {
	for _, tt := range mountTests {
		f.Add(tt.uri, tt.scriptName, tt.pathInfo)
	}
	links := make(chan *http.Request, 1)
	p := place{drivers[0], "unix"}
	app := p.serveHTTP(f, fastcgi.StripScriptName(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { links <- r })))
	conn, err := app.connect()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	f.Fuzz(func(t *testing.T, uri, scriptName, pathInfo string) {
		if s := uri + scriptName + pathInfo; strings.Contains(s, "\x00") || len(s) > 8000 {
			t.Skip("the protocol lets no such parameter through")
		}
		web := newWeb(t, conn)
		web.SetDeadline(time.Now().Add(patience))
		answer := web.ask(1, split(uri, scriptName, pathInfo)...)
		select {
		case r := <-links:
			checkHTTPRequest(t, r)
			if r.URL.Path != "*" {
				checkLink(t, fastcgi.BasePath(r.Context()), r.URL)
			}
		default:
			if answer.status() != 400 {
				t.Errorf("the handler was not called, and the answer is %q", answer.stdout.String())
			}
		}
	})
}

// checkLink holds that a link from a page with a base path to a path below it is one on the same host, to that path.
func checkLink(t *testing.T, base string, own *url.URL) {
	here := &url.URL{Scheme: "https", Host: "example.com", Path: "/somewhere"}
	link, err := here.Parse(base + own.EscapedPath())
	if err != nil || link.Host != here.Host || link.User != nil || strings.HasSuffix(base, "/") {
		t.Fatalf("base %q and path %q make the link %v, %v", base, own.EscapedPath(), link, err)
	}
	if strings.HasPrefix(own.Path, "//") || own.Path == "" {
		t.Errorf("path %q", own.Path)
	}
}
