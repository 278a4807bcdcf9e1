package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

func TestMain(m *testing.M) { front.Main(m, main) }

// request asks for a path below a directory.
func request(dir, path string) *client.Request {
	return front.Get("path="+url.QueryEscape(path), client.Pair{Name: "DOCUMENT_ROOT", Value: dir})
}

// serve serves in this process.
func serve(t *testing.T) (*front.Front, *fastcgi.Server) {
	t.Helper()
	srv := newServer("")
	return front.Serve(t, srv), srv
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A line is one of an answer.
type line struct {
	Name, Type  string
	Size, MTime int64
}

// entries decodes the lines of an answer.
func entries(t *testing.T, a front.Answer) map[string]line {
	t.Helper()
	if want := "Status: 200 OK\r\nContent-Type: application/x-ndjson"; a.Header() != want || a.Stderr != "" || a.AppStatus != 0 {
		t.Fatalf("the answer is %+v", a)
	}
	found := make(map[string]line)
	for text := range strings.Lines(a.Body()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		found[l.Name] = l
	}
	return found
}

func TestEntries(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b \"<file>\""), "hello")
	write(t, filepath.Join(dir, "a", "in a"), "")
	for link, target := range map[string]string{"to a": "a", "to b": "b \"<file>\"", "to nothing": "c", "out": "/"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../b \"<file>\"", filepath.Join(dir, "a", "up to b")); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	modified := time.Date(2026, 4, 29, 12, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "b \"<file>\""), modified, modified.Add(1999*time.Microsecond)); err != nil {
		t.Fatal(err)
	}
	f, _ := serve(t)

	a := f.Do(t, request(dir, "/"))
	millis := modified.UnixMilli() + 1
	if want := fmt.Sprintf(`{"name":"b \"<file>\"","type":"file","size":5,"mtime":%d}`+"\n", millis); !strings.Contains(a.Body(), want) {
		t.Errorf("the answer has no line %s in\n%s", want, a.Body())
	}
	if want := `{"name":"out"}` + "\n"; !strings.Contains(a.Body(), want) {
		t.Errorf("the answer has no line %s in\n%s", want, a.Body())
	}
	found := entries(t, a)
	types := map[string]string{}
	for name, e := range found {
		types[name] = e.Type
	}
	want := map[string]string{"a": "dir", "to a": "dir", "b \"<file>\"": "file", "to b": "file", "out": ""}
	if !maps.Equal(types, want) {
		t.Errorf("the types are %v, not %v", types, want)
	}

	file := line{"up to b", "file", 5, millis}
	for _, path := range []string{"/a", "/a/", "a", "//a//", "./a", "../a", "/a/../a", "to a"} {
		if found := entries(t, f.Do(t, request(dir, path))); len(found) != 2 || found["in a"].Type != "file" || found["up to b"] != file {
			t.Errorf("%s has %v", path, found)
		}
	}
}

// The first value of the query's path counts, unless it is empty.
func TestQueries(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a b", "file"), "")
	f, _ := serve(t)
	for _, query := range []string{"path=a+b", "path=a%20b", "x=%zz&path=a+b", "path=&path=a+b&path=c"} {
		if found := entries(t, f.Get(t, query, client.Pair{Name: "DOCUMENT_ROOT", Value: dir})); len(found) != 1 {
			t.Errorf("%s has %v", query, found)
		}
	}
	for _, query := range []string{"", "path", "path=", "Path=a+b", "path=%zz"} {
		wantNone(t, query, f.Get(t, query, client.Pair{Name: "DOCUMENT_ROOT", Value: dir}))
	}
	wantNone(t, "no root", f.Get(t, "path=/"))
}

// wantNone fails the test unless an answer says that there is no such directory.
func wantNone(t *testing.T, what string, got front.Answer) {
	t.Helper()
	want := "Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNot Found\n"
	if got.Stdout != want || !strings.HasPrefix(got.Stderr, "dirlist: ") || strings.Count(got.Stderr, "\n") != 1 {
		t.Errorf("%s is answered with %+v", what, got)
	}
}

func TestHead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	f, _ := serve(t)
	req := request(dir, "/")
	for i, p := range req.Params {
		if p.Name == "REQUEST_METHOD" {
			req.Params[i].Value = "HEAD"
		}
	}
	if found := entries(t, f.Do(t, req)); len(found) != 0 {
		t.Errorf("there is a body: %v", found)
	}
}

func TestNothingOutsideOfTheRoot(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	write(t, filepath.Join(root, "file"), "")
	write(t, filepath.Join(dir, "secret", "key"), "")
	for link, target := range map[string]string{"up": "..", "absolute": dir, "across": "../secret", "inside": "."} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	f, _ := serve(t)
	for _, path := range []string{
		"inside/..", "/inside/../..", "/../secret", "/inside/../../secret", "/up", "/up/secret", "/absolute", "/across",
		"/nowhere", "/file", "/file/", "/inside/file", "a\nb", "a\x00b",
	} {
		wantNone(t, path, f.Do(t, request(root, path)))
	}
	if found := entries(t, f.Do(t, request(root, "/inside"))); len(found) != 5 {
		t.Errorf("a link that stays inside shows %v", found)
	}
}

// Of a directory whose list is more than a web server takes at once, everything
// arrives, once.
func TestLargeDirectory(t *testing.T) {
	const size = 2000
	dir := t.TempDir()
	for i := range size {
		write(t, filepath.Join(dir, fmt.Sprintf("%0200d", i)), "")
	}
	f, srv := serve(t)

	t.Run("complete", func(t *testing.T) {
		got := f.Do(t, request(dir, "/"))
		if lines, n := strings.Count(got.Body(), "\n"), len(entries(t, got)); lines != size || n != size {
			t.Errorf("there are %d entries in %d lines", n, lines)
		}
	})
	// While the web server takes nothing there is no goroutine for the list,
	// and when it goes away the directory is closed.
	t.Run("given up", func(t *testing.T) {
		before := descriptors(dir)
		resp, err := f.Client.Do(t.Context(), request(dir, "/"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		for reading() {
			time.Sleep(time.Millisecond)
		}
		if n := srv.Stats().ActiveRequests; n != 1 {
			t.Errorf("%d requests are active", n)
		}
		resp.Close()
		for srv.Stats().ActiveRequests > 0 {
			time.Sleep(time.Millisecond)
		}
		if after := descriptors(dir); after != before {
			t.Errorf("the directory was open %d times, and is %d times", before, after)
		}
	})
}

// descriptors counts those of a file; it is zero where there is no /proc.
func descriptors(name string) (n int) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		if target, _ := os.Readlink(fd); target == name {
			n++
		}
	}
	return n
}

// reading reports whether a goroutine is at work on a stream.
func reading() bool {
	buf := make([]byte, 1<<20)
	return strings.Contains(string(buf[:runtime.Stack(buf, true)]), "(*stream).run")
}

func TestProgram(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "only"), "")
	for documentRoot, args := range map[string][]string{dir: nil, filepath.Join(dir, "missing"): {"-root", dir}} {
		p := front.Start(t, args...)
		if found := entries(t, p.Do(t, request(documentRoot, "/"))); len(found) != 1 {
			t.Errorf("with %q there is %v", args, found)
		}
		p.Stop(t)
	}
	if said, ok := front.Run(t, "-root", filepath.Join(dir, "missing")); ok || !strings.HasPrefix(said, "dirlist: ") {
		t.Errorf("without a root: exit 0 is %v, says %q", ok, said)
	}
}
