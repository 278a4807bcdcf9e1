package fastcgi_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// fileTree makes a directory with a file, one in a folder with a strange name, a folder, and links in and out.
func fileTree(t *testing.T) string {
	t.Helper()
	outer := t.TempDir()
	dir := filepath.Join(outer, "all files")
	for _, step := range []error{
		os.MkdirAll(filepath.Join(dir, "50%?#"), 0o755),
		os.WriteFile(filepath.Join(dir, "a.html"), []byte("one,two\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "50%?#", "größe b"), []byte("three\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "two\nlines"), []byte("four\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "blank "), []byte("five\n"), 0o644),
		os.WriteFile(filepath.Join(outer, "secret"), []byte("secret\n"), 0o644),
		os.Symlink("a.html", filepath.Join(dir, "within")),
		os.Symlink("../secret", filepath.Join(dir, "without")),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	return dir
}

// The web server is asked in its own way, if it was prepared, and otherwise the file itself is sent.
func TestFileSender(t *testing.T) {
	dir := fileTree(t)
	prepared := fastcgi.FileSender{Dir: dir, Location: "/files/", XSendfile: true}
	escaped := filepath.Dir(dir) + "/all%20files/50%25%3F%23/gr%C3%B6%C3%9Fe%20b"
	for _, tt := range []struct {
		software, name string
		sender         fastcgi.FileSender
		field, value   string // or
		body           string
	}{
		{"nginx/1.22.1", "a.html", prepared, "X-Accel-Redirect", "/files/a.html", ""},
		{"nginx/1.22.1", "50%?#/größe b", prepared, "X-Accel-Redirect", "/files/50%25%3F%23/gr%C3%B6%C3%9Fe%20b", ""},
		{"lighttpd/1.4.69", "50%?#/größe b", prepared, "X-Sendfile", escaped, ""},
		{"Apache/2.4.62 (Debian)", "50%?#/größe b", prepared, "X-Sendfile", dir + "/50%?#/größe b", ""},
		{"Apache", "within", prepared, "X-Sendfile", dir + "/within", ""},
		{"Apache", "two\nlines", prepared, "", "", "four\n"},
		{"Apache", "blank ", prepared, "", "", "five\n"},
		{"nginx/1.22.1", "two\nlines", prepared, "X-Accel-Redirect", "/files/two%0Alines", ""},
		{"nginx/1.22.1", "a.html", fastcgi.FileSender{Dir: dir, XSendfile: true}, "", "", "one,two\n"},
		{"lighttpd/1.4.69", "a.html", fastcgi.FileSender{Dir: dir, Location: "/files/"}, "", "", "one,two\n"},
		{"Caddy/2.6.2", "a.html", prepared, "", "", "one,two\n"},
		{"", "50%?#/größe b", prepared, "", "", "three\n"},
	} {
		t.Run(tt.software+" "+tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					tt.sender.SendFile(w, r, tt.name)
				})).dial(t)
				h := web.ask(1, httpGet("SERVER_SOFTWARE", tt.software)...)
				want := map[string]string{"X-Accel-Redirect": "", "X-Sendfile": ""}
				if tt.field != "" {
					want[tt.field] = tt.value
					want["Content-Length"] = "" // the web server's
				}
				for name, value := range want {
					if got := h.header(t).Get(name); got != value {
						t.Errorf("%s is %q, want %q", name, got, value)
					}
				}
				if h.status() != 200 || h.body() != tt.body {
					t.Errorf("status %d, %q, want %q", h.status(), h.body(), tt.body)
				}
			})
		})
	}
}

// Nothing but regular files below the directory is sent, whoever would send it.
func TestFileSenderRefuses(t *testing.T) {
	dir := fileTree(t)
	sender := &fastcgi.FileSender{Dir: dir, Location: "/files/", XSendfile: true}
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sender.SendFile(w, r, r.URL.Query().Get("name"))
		})).dial(t)
		for _, software := range []string{"nginx/1.22.1", "lighttpd/1.4.69", ""} {
			for _, name := range []string{"", ".", "none", "50%25?%23", "50%", "../secret", "without", "/etc/passwd", "a.html/", "a.html/b", dir + "/a.html", "a%00.html"} {
				got := web.ask(1, httpGet("SERVER_SOFTWARE", software, "REQUEST_URI", "/?name="+name, "QUERY_STRING", "name="+name)...)
				if h := got.header(t); got.status() != 404 || got.body() != "Not Found\n" || h.Get("X-Accel-Redirect")+h.Get("X-Sendfile") != "" {
					t.Errorf("%q behind %q: %s", name, software, got.stdout.String())
				}
			}
		}
	})
	t.Run("no directory", func(t *testing.T) {
		w := httptest.NewRecorder()
		(&fastcgi.FileSender{Dir: dir + "/none"}).SendFile(w, httptest.NewRequest("GET", "/", nil), "a.html")
		if w.Code != 404 {
			t.Errorf("status %d", w.Code)
		}
	})
}

// As an http.Server's handler it sends files, ranges of them, and what type they have; a type that was set stays.
func TestFileSenderOverHTTP(t *testing.T) {
	sender := &fastcgi.FileSender{Dir: fileTree(t), Location: "/files/", XSendfile: true}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Range", "bytes=4-6")
	w := httptest.NewRecorder()
	sender.SendFile(w, r, "a.html")
	if got := w.Header().Get("Content-Type"); w.Code != 206 || w.Body.String() != "two" || got != "text/html; charset=utf-8" {
		t.Errorf("status %d, %q, %q", w.Code, w.Body, got)
	}
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery == "own" {
				w.Header().Set("Content-Type", "text/plain")
			}
			sender.SendFile(w, r, "a.html")
		})).dial(t)
		for query, want := range map[string]string{"": "text/html; charset=utf-8", "own": "text/plain"} {
			got := web.ask(1, httpGet("SERVER_SOFTWARE", "nginx/1.22.1", "REQUEST_URI", "/?"+query, "QUERY_STRING", query)...).header(t)
			if got.Get("Content-Type") != want {
				t.Errorf("the type is %q, want %q", got.Get("Content-Type"), want)
			}
		}
	})
}

// header is the header block of a response.
func (a *answer) header(t testing.TB) http.Header {
	t.Helper()
	var parser cgi.HeaderParser
	if _, done, err := parser.Feed([]byte(a.stdout.String())); err != nil || !done {
		t.Fatalf("no header: %v: %q", err, a.stdout.String())
	}
	return http.Header(parser.Header().Fields)
}
