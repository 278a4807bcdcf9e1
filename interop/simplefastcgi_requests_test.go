package interop_test

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A packageRequest is one that the package's example and the one that takes its place are compared by.
type packageRequest struct {
	example string // echo or dir
	method  string // GET if empty
	target  string
	header  []string // name, value, name, value ...
	body    string
	chunked bool
	differs *divergence // nil if the answers are the same
}

func (r packageRequest) String() string {
	text := fmt.Sprintf("%s %s %s %d", r.example, cmp.Or(r.method, "GET"), r.target, len(r.body))
	for _, h := range r.header {
		text += " " + h
	}
	return text[:min(len(text), 80)]
}

// ask sends the request to one of the applications: the package, here or bytes.
func (r packageRequest) ask(t *testing.T, s *site, whose string) packageReply {
	t.Helper()
	req := s.request(t, cmp.Or(r.method, http.MethodGet), "", strings.NewReader(r.body))
	if r.chunked {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(r.body)), -1
	}
	req.Host = whose + "-" + r.example + ".example"
	path, query, _ := strings.Cut(r.target, "?")
	req.URL.Opaque, req.URL.RawQuery = path, query
	for i := 0; i < len(r.header); i += 2 {
		req.Header.Add(r.header[i], r.header[i+1])
	}
	a, err := s.try(req)
	if err != nil {
		return packageReply{body: err.Error()}
	}
	a.Header.Del("Date")
	return packageReply{a.StatusCode, a.Header, a.body}
}

// A packageReply is what of an answer is compared. Without a status, it is none, and the body says why.
type packageReply struct {
	status int
	header http.Header
	body   string
}

func (r packageReply) String() string {
	return fmt.Sprintf("%d %v\n%s", r.status, r.header, clip(r.body))
}

// wantSame fails the test unless two answers are the same, byte for byte.
func wantSame(t *testing.T, theirs, here packageReply) {
	t.Helper()
	if !sameHead(theirs, here) || theirs.body != here.body {
		t.Errorf("simple_fastcgi:\n%s\nhere:\n%s", theirs, here)
	}
}

func sameHead(a, b packageReply) bool {
	return a.status == b.status && a.status != 0 && maps.EqualFunc(a.header, b.header, slices.Equal)
}

var echoRequests = []packageRequest{
	{example: "echo", target: "/", differs: layout},
	{example: "echo", target: "/", method: "POST", differs: layout},
	{example: "echo", target: "/", method: "POST", body: "a=b", header: []string{"Content-Type", "application/x-www-form-urlencoded"}, differs: layout},
	{example: "echo", target: "/", method: "POST", body: "{}", header: []string{"Content-Type", "application/json; charset=utf-8"}, differs: layout},
	{example: "echo", target: "/", method: "POST", body: "a=b", chunked: true, differs: layout},
	{example: "echo", target: "/", method: "POST", body: strings.Repeat("x", 20_000), differs: layout},
	{example: "echo", target: "/", method: "POST", body: strings.Repeat("x", 1<<20), differs: unreadBody},
	{example: "echo", target: "/", method: "PUT", body: "\x00\xff\r\n\r\n", differs: layout},
	{example: "echo", target: "/", method: "PATCH", body: "x", differs: layout},
	{example: "echo", target: "/", method: "DELETE", differs: layout},
	{example: "echo", target: "/", method: "OPTIONS", differs: layout},
	{example: "echo", target: "/", method: "PROPFIND", header: []string{"Depth", "1"}, differs: layout},
	{example: "echo", target: "/", method: "MKCALENDAR", differs: layout},
	{example: "echo", target: "/", method: "HEAD"},
	{example: "echo", target: "/", method: "TRACE"},
	{example: "echo", target: "/?", differs: layout},
	{example: "echo", target: "/?a=1&a=2&b", differs: layout},
	{example: "echo", target: "/?a=%00%FF%zz", differs: layout},
	{example: "echo", target: "/?a+b=c%20d&e=f;g", differs: layout},
	{example: "echo", target: "/?<script>alert('&')</script>", differs: layout},
	{example: "echo", target: "/?gr\u00fc\u00dfe=\u4f60\u597d&\U0001f600", differs: layout},
	{example: "echo", target: "/?" + strings.Repeat("a", 7000), differs: layout},
	{example: "echo", target: "/a/b/c", differs: layout},
	{example: "echo", target: "/a//b/./c/../d", differs: layout},
	{example: "echo", target: "/a%20b%2Fc", differs: layout},
	{example: "echo", target: "/gr%C3%BC%C3%9Fe", differs: layout},
	{example: "echo", target: "/not.php/found", differs: layout},
	{example: "echo", target: "/", header: []string{"X-Empty", ""}, differs: layout},
	{example: "echo", target: "/", header: []string{"X-Repeated", "1", "X-Repeated", "2", "X-Repeated", "3"}, differs: layout},
	{example: "echo", target: "/", header: []string{"Cookie", "a=b", "Cookie", "c=d"}, differs: layout},
	{example: "echo", target: "/", header: []string{"X-Case-MIXED", "Value", "x-lower", "value"}, differs: layout},
	{example: "echo", target: "/", header: []string{"X-Markup", `<a href="?a&b">'\</a>`}, differs: layout},
	{example: "echo", target: "/", header: []string{"X-Text", "gr\u00fc\u00dfe \u4f60\u597d \U0001f600\ttab"}, differs: layout},
	{example: "echo", target: "/", header: []string{"Authorization", "Basic dXNlcjpzZWNyZXQ="}, differs: layout},
	{example: "echo", target: "/", header: []string{"X-Long", strings.Repeat("long ", 6000)}, differs: layout},
	{example: "echo", target: "/", header: []string{"Content-Type", "text/plain", "If-None-Match", `"x"`, "Range", "bytes=0-1"}, differs: layout},
	{example: "echo", target: "/", header: manyHeaders(80), differs: layout},
	{example: "echo", target: "/", header: []string{"X-Separator", "a\u2028b\u2029c"}, differs: separators},
	{example: "echo", target: "/", header: []string{"X-Latin", "gr\xfc\xdfe"}, differs: notUTF8},
	{example: "echo", target: "/?gr\xfc\xdfe", differs: notUTF8},
	{example: "echo", target: "/lower", differs: lowerCase},
	{example: "echo", target: "/", header: []string{
		"X-A", strings.Repeat("a", 30_000), "X-B", strings.Repeat("b", 30_000), "X-C", strings.Repeat("c", 30_000),
	}}, // more than nginx can pass
}

// manyHeaders returns n headers.
func manyHeaders(n int) (header []string) {
	for i := range n {
		header = append(header, fmt.Sprintf("X-Header-%d", i), fmt.Sprint(i))
	}
	return header
}

// listRequests are for the tree that makeListed makes.
func listRequests() (requests []packageRequest) {
	for query, differs := range map[string]*divergence{
		"path=docs": spaces, "path=/docs": spaces, "path=docs/": spaces, "path=/docs/": spaces, "path=./docs": spaces, "path=../docs": spaces,
		"path=.docs": spaces, "path=%2Fdocs": spaces, "path=docs/deep": spaces, "path=docs//deep": spaces, "path=docs/./deep": spaces,
		"path=docs/../docs": spaces, "path=docs/deep/../..": spaces, "path=/": spaces, "path=.": spaces, "path=..": spaces, "path=/../": spaces,
		"path=link": spaces, "path=link/deep": spaces, "path=a+b": spaces, "path=a%20b": spaces, "path=gr%C3%BCn": spaces, "path=gr\u00fcn": spaces,
		"path=docs&path=a+b": spaces, "path=&path=docs": spaces, "x=1&path=docs&y": spaces, "path=many": spaces, "path=kinds": spaces,
		"path=empty": nil,

		"": errorText, "path": errorText, "path=": errorText, "Path=docs": errorText, "path=nowhere": errorText, "path=docs/file": errorText,
		"path=docs/file/": errorText, "path=%00": errorText, "path=%zz": errorText, "path=docs%2": errorText, "path=dangling": errorText,
		"path=loop": errorText, "path=kinds/socket": errorText, "path=" + strings.Repeat("a", 5000): errorText, "path=a%0Ab": errorText,

		"path=docs/../..": wayOut, "path=docs/../../outside": wayOut, "path=links/up": wayOut, "path=links/absolute": wayOut,
		"path=links": linksOut, "path=notutf8": namesNotUTF8, "path=semi;colon": semicolon, "path=rounded": rounding,
	} {
		requests = append(requests, packageRequest{example: "dir", target: "/?" + query, differs: differs})
	}
	slices.SortFunc(requests, func(a, b packageRequest) int { return strings.Compare(a.target, b.target) })
	return append(requests,
		packageRequest{example: "dir", target: "/any/path?path=docs", differs: spaces},
		packageRequest{example: "dir", method: "HEAD", target: "/?path=docs"},
		packageRequest{example: "dir", method: "HEAD", target: "/?path=nowhere"},
		packageRequest{example: "dir", method: "POST", target: "/?path=docs", body: "path=a+b", differs: spaces},
		packageRequest{example: "dir", method: "DELETE", target: "/?path=nowhere", differs: errorText},
	)
}

// makeListed makes the tree that is listed, and something outside of it.
func makeListed(t *testing.T, root string) {
	t.Helper()
	for name, text := range map[string]string{
		"docs/file": "hello", "docs/empty file": "", "docs/<b>&\"quoted\"'\\": "x", "docs/gr\u00fcn \u4f60 \U0001f600": "xx", "docs/.hidden": "xxx",
		"docs/deep/deeper": "", "a b/c d": "", "gr\u00fcn/blau": "", "links/file": "", "notutf8/gr\xfcn": "", "semi;colon/file": "", "rounded/file": "",
		"kinds/file": "x", "../outside/secret": "",
	} {
		makeFile(t, filepath.Join(root, name), text)
	}
	for i := range 700 {
		makeFile(t, filepath.Join(root, "many", fmt.Sprintf("%050d", i)), "")
	}
	for link, target := range map[string]string{
		"link": "docs", "dangling": "nothing", "loop": "loop", "links/up": "../..", "links/absolute": filepath.Join(root, "docs"),
		"kinds/to a file": "../docs/file", "kinds/to a directory": "../docs", "kinds/to nothing": "nothing", "kinds/loop": "loop",
		"links/out to a file": "../../outside/secret",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	openSocket(t, "unix:"+filepath.Join(root, "kinds", "socket"))
	if err := os.Mkdir(filepath.Join(root, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	dateAll(t, root)
	date(t, filepath.Join(root, "docs", "empty file"), time.UnixMilli(999))
	date(t, filepath.Join(root, "rounded", "file"), time.Unix(1_777_464_000, 999_999_999))
}

// dateAll gives all below a directory times in whole milliseconds: what is left of others depends on luck, see rounding.
func dateAll(t *testing.T, root string) {
	t.Helper()
	when := time.UnixMilli(1_777_464_000_000)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type() != fs.ModeSymlink {
			when = when.Add(1001 * time.Millisecond)
			date(t, path, when)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func date(t *testing.T, path string, modified time.Time) {
	t.Helper()
	if err := os.Chtimes(path, time.Time{}, modified); err != nil {
		t.Fatal(err)
	}
}

func makeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
