package routers_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
)

// A mount is where a web server has the application.
type mount struct {
	name   string
	base   string // of the application's URLs
	prefix string // of the gateway
	params func(*http.Request) []client.Pair
}

var mounts = []mount{
	{name: "at the root"},
	{name: "below a path", base: "/sub", prefix: "/sub"},
	{name: "as a script", base: "/a/app.fcgi", prefix: "/a/app.fcgi"},
	{name: "behind a rewritten script", base: "/u", params: func(r *http.Request) []client.Pair {
		// As Apache does with "RewriteRule ^(.*)$ app.fcgi/$1" in /u/.htaccess.
		return []client.Pair{
			{Name: "SCRIPT_NAME", Value: "/u/app.fcgi"},
			{Name: "PATH_INFO", Value: strings.TrimPrefix(r.URL.Path, "/u")},
		}
	}},
}

// requests are what the routers are asked; status 200 says that there has to be such a page.
var requests = []struct {
	method, path string
	status       int
}{
	{"GET", "/", 200},
	{"GET", "/hello/joe", 200},
	{"GET", "/hello/joe?q=1", 200},
	{"GET", "/hello/j%20%C3%BC", 200},
	{"GET", "/hello/a%2Fb", 0},
	{"GET", "/dir", 0},
	{"GET", "/dir/", 0},
	{"GET", "/dir?q=1", 0},
	{"GET", "/dir/?q=1", 0},
	{"GET", "/nowhere", 404},
	{"GET", "/nowhere/", 0},
	{"DELETE", "/hello/joe", 405},
	{"POST", "/login", 303},
}

// Wherever a router is mounted, it answers as in net/http at the root, and links and redirects to where it is.
func TestMounted(t *testing.T) {
	for name, newRouter := range routers {
		t.Run(name, func(t *testing.T) {
			alone := httptest.NewServer(newRouter())
			defer alone.Close()
			for _, m := range mounts {
				t.Run(m.name, func(t *testing.T) {
					site := m.serve(t, fastcgi.StripScriptName(newRouter()))
					for _, r := range requests {
						want := ask(t, r.method, alone.URL+r.path)
						if r.status != 0 && want.status != r.status {
							t.Errorf("alone %s %s is answered with %d", r.method, r.path, want.status)
						}
						want.expect(t, r.method+" "+r.path, ask(t, r.method, site+m.base+r.path), m.base)
					}
				})
			}
		})
	}
}

// Where the prefix is known, http.StripPrefix needs nothing from the web server; redirects are up to the handler.
func TestBelowKnownPrefix(t *testing.T) {
	for name, newRouter := range routers {
		t.Run(name, func(t *testing.T) {
			site := mount{}.serve(t, http.StripPrefix("/sub", newRouter()))
			for path, status := range map[string]int{"/sub/": 200, "/sub/hello/joe": 200, "/hello/joe": 404} {
				if got := ask(t, "GET", site+path); got.status != status {
					t.Errorf("%s: status %d, want %d", path, got.status, status)
				}
			}
		})
	}
}

// serve runs a handler behind the gateway until the end of the test, and returns the URL of the site.
func (m mount) serve(t *testing.T, h http.Handler) (site string) {
	t.Helper()
	// Not t.TempDir: with the name of a test in it, the path may not fit into a socket's address.
	dir, err := os.MkdirTemp("", "routers")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	addr := "unix:" + filepath.Join(dir, "app.sock")
	l, err := fastcgi.Listen(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	app := &fastcgi.Server{Handler: fastcgi.HTTP(h), ErrorLog: quiet}
	served := make(chan error)
	go func() { served <- app.Serve(l) }()
	t.Cleanup(func() {
		app.Close()
		<-served
	})
	c := &client.Client{Addr: addr}
	t.Cleanup(func() { c.Close() })
	web := httptest.NewServer(&gateway.Handler{Client: c, Prefix: m.prefix, Params: m.params, ErrorLog: quiet})
	t.Cleanup(web.Close)
	return web.URL
}

// An answer is what the client sees of a response.
type answer struct {
	status         int
	location, body string
}

func ask(t *testing.T, method, url string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true // httptest.Server.Close would wait for the connection
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header.Get("Location"), string(body)}
}

// expect wants the same answer from below a base path.
func (a answer) expect(t *testing.T, request string, got answer, base string) {
	t.Helper()
	if strings.HasPrefix(a.location, "/") {
		a.location = base + a.location
	}
	a.body = strings.Replace(a.body, "go to /", "go to "+base+"/", 1)
	if got != a {
		t.Errorf("%s: got %+v, want %+v", request, got, a)
	}
}
