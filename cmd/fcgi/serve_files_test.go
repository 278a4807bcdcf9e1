package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// newFiles makes a folder with all sorts of things in it, and serves it.
func newFiles(t *testing.T) *files {
	t.Helper()
	parent := t.TempDir()
	for name, text := range map[string]string{
		"secret":             "secret",
		"outside/secret":     "secret",
		"root/page.html":     "<p>page",
		"root/sub/data.txt":  "0123456789",
		"root/space and +":   "odd name",
		"root/..twodots":     "hidden",
		"root/.env":          "hidden",
		"root/.git/config":   "hidden",
		"root/sub/.hidden/x": "hidden",
		"root/script.php":    "<?php secret",
		"root/SCRIPT2.PHP":   "<?php secret",
		"root/script.php.d":  "not a script",
	} {
		path := filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"root/inside":       "page.html",
		"root/escape":       "../secret",
		"root/absolute":     filepath.Join(parent, "secret"),
		"root/folder":       "../outside",
		"root/sub/up":       "../page.html",
		"root/sub/dangling": "nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(parent, link)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := openFiles(filepath.Join(parent, "root"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	application := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, fromApplication) }
	return &files{root: root, scripts: ".php", next: http.HandlerFunc(application)}
}

const fromApplication = "from the application"

func (f *files) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	f := newFiles(t)
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/page.html", "<p>page"},
		{"GET", "/sub/data.txt", "0123456789"},
		{"GET", "/space and +", "odd name"},
		{"GET", "/inside", "<p>page"},
		{"GET", "/sub/up", "<p>page"},
		{"GET", "/script.php.d", "not a script"},
		{"HEAD", "/page.html", ""},

		{"POST", "/page.html", fromApplication},
		{"DELETE", "/page.html", fromApplication},
		{"GET", "/", fromApplication},
		{"GET", "", fromApplication},
		{"GET", "*", fromApplication},
		{"GET", "page.html", fromApplication},
		{"GET", "/sub", fromApplication},
		{"GET", "/sub/", fromApplication},
		{"GET", "/page.html/", fromApplication},
		{"GET", "/page.html/more", fromApplication},
		{"GET", "/missing", fromApplication},
		{"GET", "/sub/dangling", fromApplication},
		{"GET", "/page.html\x00", fromApplication},

		{"GET", "/.env", fromApplication},
		{"GET", "/.git/config", fromApplication},
		{"GET", "/..twodots", fromApplication},
		{"GET", "/sub/.hidden/x", fromApplication},
		{"GET", "/./page.html", fromApplication},
		{"GET", "//page.html", fromApplication},
		{"GET", "/sub//data.txt", fromApplication},

		{"GET", "/../secret", fromApplication},
		{"GET", "/sub/../../secret", fromApplication},
		{"GET", "/..", fromApplication},
		{"GET", `/..\secret`, fromApplication},
		{"GET", "/escape", fromApplication},
		{"GET", "/absolute", fromApplication},
		{"GET", "/folder/secret", fromApplication},

		{"GET", "/script.php", fromApplication},
		{"GET", "/SCRIPT2.PHP", fromApplication},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.URL.Path = tt.path // as it is, decoded and not cleaned
		w := f.answer(r)
		if got := w.Body.String(); got != tt.want || w.Code != http.StatusOK {
			t.Errorf("%s %q: %d %q, want %q", tt.method, tt.path, w.Code, got, tt.want)
		}
	}
}

func TestFilesComeWithWhatBrowsersNeed(t *testing.T) {
	f := newFiles(t)
	w := f.answer(httptest.NewRequest("GET", "/page.html", nil))
	if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("the type is %q", got)
	}
	again := httptest.NewRequest("GET", "/page.html", nil)
	again.Header.Set("If-Modified-Since", w.Header().Get("Last-Modified"))
	if w := f.answer(again); w.Code != http.StatusNotModified {
		t.Errorf("unchanged, it is answered %d", w.Code)
	}
	part := httptest.NewRequest("GET", "/sub/data.txt", nil)
	part.Header.Set("Range", "bytes=2-4")
	if w := f.answer(part); w.Code != http.StatusPartialContent || w.Body.String() != "234" {
		t.Errorf("a part is answered %d %q", w.Code, w.Body)
	}
}
