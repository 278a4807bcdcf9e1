package cgi_test

import (
	"net/url"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// W2: the path below is PATH_INFO, whatever the client's URL has; only how it is encoded is taken from there. The base
// path is where the client finds the script, or else SCRIPT_NAME.
func TestW2Mounted(t *testing.T) {
	for _, tt := range []struct {
		uri, scriptName, pathInfo string
		path, rawPath, base       string
	}{
		{"/sub/a", "/sub", "/a", "/a", "", "/sub"},
		{"/sub", "/sub", "", "/", "", "/sub"},
		{"/sub/a%2Fb", "/sub", "/a/b", "/a/b", "/a%2Fb", "/sub"},
		{"/s%C3%BCb/a", "/süb", "/a", "/a", "", "/s%C3%BCb"},
		{"/u/a", "/u/app.fcgi", "/a", "/a", "", "/u"},
		{"/old", "/app.fcgi", "/new", "/new", "", "/app.fcgi"},
		{"/old%2Fa", "/app.fcgi", "/new/a", "/new/a", "", "/app.fcgi"},
		{"/x/../sub/a", "/sub", "/a", "/a", "", "/sub"},
		{"//evil.example/a", "/sub", "/a", "/a", "", "/sub"},
		{"/sub//evil.example/a", "/sub", "//evil.example/a", "/evil.example/a", "", "/sub"},
		{`/\evil.example/app.fcgi/a`, `/\evil.example/app.fcgi`, "/a", "/a", "", "/%5Cevil.example/app.fcgi"},
	} {
		u, err := url.ParseRequestURI(tt.uri)
		if err != nil {
			t.Fatal(err)
		}
		path, rawPath := cgi.MountedPath(u, tt.pathInfo)
		if base := cgi.BasePath(u.Path, tt.scriptName, tt.pathInfo); path != tt.path || rawPath != tt.rawPath || base != tt.base {
			t.Errorf("W2 %s: got %q (%q) below %q", tt.uri, path, rawPath, base)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, tt := range []struct{ base, location, want string }{
		{"/sub", "/a", "/sub/a"},
		{"/sub", "/sub/a", "/sub/a"},
		{"/sub", "/sub?a", "/sub?a"},
		{"/sub", "/sub", "/sub"},
		{"/sub", "/subway", "/sub/subway"},
		{"/sub", "a", "a"},
		{"/sub", "//example.com/", "//example.com/"},
		{"/sub", "https://example.com/", "https://example.com/"},
		{"", "/a", "/a"},
	} {
		if got := cgi.Below(tt.base, tt.location); got != tt.want {
			t.Errorf("%s below %s: got %s", tt.location, tt.base, got)
		}
	}
}
