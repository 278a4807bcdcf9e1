package gateway_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/gateway"
)

// CVE-2019-11043: what would end a line or a string in the
// application ends here.
func TestControlCharactersInPaths(t *testing.T) {
	f := scripted(t, &gateway.Handler{}, params)
	for path, want := range map[string]string{
		"/index.php/a%0ab":   "400",
		"/index.php/a%0Db":   "400",
		"/index.php%00.jpg":  "400",
		"/a%0a":              "400",
		"/a%09b":             "200",
		"/%250a":             "200",
		"/?q=%0a%0d%00":      "200",
		"http://example.org": "200",
	} {
		got := f.exchangeRaw(t, "OPTIONS "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 "+want) {
			t.Errorf("%s: %q, want %s", path, got, want)
		}
	}
}

func TestTargetsThatAreNoPaths(t *testing.T) {
	for _, tt := range []struct{ method, target string }{{"OPTIONS", "*"}, {"CONNECT", "example.org:443"}} {
		w := httptest.NewRecorder()
		(&gateway.Handler{}).ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, nil))
		if w.Code != 400 {
			t.Errorf("%s %s: %d", tt.method, tt.target, w.Code)
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, tt := range []struct{ prefix, path, scriptName, pathInfo string }{
		{"", "/", "", "/"},
		{"", "/a", "", "/a"},
		{"/app", "/app", "/app", ""},
		{"/app", "/app/", "/app", "/"},
		{"/app", "/app/x", "/app", "/x"},
		{"/app", "/app%2fx", "/app", "/x"},
		{"/app", "/apple", unset, ""},
		{"/app", "/App", unset, ""},
		{"/app", "/", unset, ""},
		{"/app", "/x/app", unset, ""},
	} {
		f := scripted(t, &gateway.Handler{Prefix: tt.prefix}, params)
		resp, body := f.get(t, tt.path)
		if tt.scriptName == unset {
			if resp.StatusCode != 404 {
				t.Errorf("%q, %q: status %d", tt.prefix, tt.path, resp.StatusCode)
			}
			continue
		}
		compare(t, decode(t, body), map[string]string{"SCRIPT_NAME": tt.scriptName, "PATH_INFO": tt.pathInfo})
	}
}

// site makes a directory with files and returns it.
func site(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestScripts(t *testing.T) {
	root := site(t, "index.php", "sub/index.php", "sub/a.php", "photo.jpg", "dir.php/inner.txt", "UPPER.PHP", "../outside.php")
	const none = unset
	for _, tt := range []struct {
		path, script, info string
		front              string // what the front controller is told, where there is one
	}{
		{"/", "/index.php", "", "/index.php"},
		{"/index.php", "/index.php", "", "/index.php"},
		{"/index.php/", "/index.php", "/", "/index.php"},
		{"/sub/a.php/x/y.php/z", "/sub/a.php", "/x/y.php/z", "/sub/a.php"},
		{"/sub/", "/sub/index.php", "", "/sub/index.php"},
		{"/sub", none, "", "/index.php"},
		{"/none.php", none, "", "/index.php"},
		{"/none.php/sub/a.php", none, "", "/index.php"},
		{"/index.phpx", none, "", "/index.php"},
		{"/index.php5/a", none, "", "/index.php"},
		{"/dir.php", none, "", "/index.php"},
		{"/photo.jpg", none, "", "/index.php"},
		// An image that was uploaded must not become a script.
		{"/photo.jpg/x.php", none, "", "/index.php"},
		{"/photo.jpg/.php", none, "", "/index.php"},
		// CVE-2026-27590: letters that fold to others, or to more bytes.
		{"/UPPER.PHP", none, "", "/index.php"},
		{"/index.PHP", none, "", "/index.php"},
		{"/%e2%84%aa/index.php", none, "", "/index.php"},
		{"/index.p%e1%b8%a8p", none, "", "/index.php"},
		{"/%c8%ba%c8%ba/x.php", none, "", "/index.php"},
		{"/../outside.php", none, "", "/index.php"},
		{"/sub/../index.php", none, "", "/index.php"},
		{"/%2e%2e/outside.php", none, "", "/index.php"},
		{"//index.php", none, "", "/index.php"},
		{"/./index.php", none, "", "/index.php"},
	} {
		for _, front := range []string{"", "/index.php"} {
			f := scripted(t, &gateway.Handler{Root: root, Extension: ".php", FrontController: front}, params)
			answer := f.exchangeRaw(t, "GET "+tt.path+" HTTP/1.1\r\nHost: a\r\n\r\n")
			script, info := tt.script, tt.info
			if script == none && front != "" {
				script = tt.front
			}
			if script == none {
				if !strings.HasPrefix(answer, "HTTP/1.1 404 ") {
					t.Errorf("%s: %q", tt.path, answer)
				}
				continue
			}
			if !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
				t.Errorf("%s: %q", tt.path, answer)
				continue
			}
			got := decode(t, answer[strings.IndexByte(answer, '{'):strings.LastIndexByte(answer, '}')+1])
			compare(t, got, map[string]string{
				"SCRIPT_NAME": script, "PATH_INFO": info, "SCRIPT_FILENAME": filepath.Join(root, script),
				"DOCUMENT_ROOT": root, "REDIRECT_STATUS": "200",
			})
		}
	}
}

func TestFrontControllerMustExist(t *testing.T) {
	f := scripted(t, &gateway.Handler{Root: site(t), Extension: ".php", FrontController: "/index.php"}, params)
	if resp, _ := f.get(t, "/"); resp.StatusCode != 404 {
		t.Errorf("status %d", resp.StatusCode)
	}
}
