package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
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

func request(path string) *client.Request {
	return front.Get("", client.Pair{Name: "PATH_INFO", Value: path})
}

// serve serves a directory in this process.
func serve(t *testing.T, dir string) (*front.Front, *fastcgi.Server) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	srv := newServer(root)
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

// entries decodes the lines of an answer.
func entries(t *testing.T, a front.Answer) map[string]entry {
	t.Helper()
	if want := "Status: 200 OK\r\nContent-Type: application/x-ndjson"; a.Header() != want || a.Stderr != "" || a.AppStatus != 0 {
		t.Fatalf("the answer is %+v", a)
	}
	found := make(map[string]entry)
	for line := range strings.Lines(a.Body()) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found[e.Name] = e
	}
	return found
}

func TestEntries(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b \"file\""), "hello")
	write(t, filepath.Join(dir, "a", "in a"), "")
	if err := os.Symlink("b", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	modified := time.Date(2026, 4, 29, 12, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "b \"file\""), modified, modified); err != nil {
		t.Fatal(err)
	}
	f, _ := serve(t, dir)

	found := entries(t, f.Do(t, request("/")))
	if got, want := found["b \"file\""], (entry{"b \"file\"", "file", 5, modified}); got != want {
		t.Errorf("the file is %+v, not %+v", got, want)
	}
	types := map[string]string{}
	for name, e := range found {
		types[name] = e.Type
	}
	if want := map[string]string{"a": "directory", "b \"file\"": "file", "link": "symlink"}; !maps.Equal(types, want) {
		t.Errorf("the types are %v, not %v", types, want)
	}

	for _, path := range []string{"/a", "/a/", "a", "//a//", "/a/../a"} {
		if found := entries(t, f.Do(t, request(path))); len(found) != 1 || found["in a"].Type != "file" {
			t.Errorf("%s has %v", path, found)
		}
	}
	if found := entries(t, f.Do(t, request(""))); len(found) != 3 {
		t.Errorf("no path has %v", found)
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
	f, _ := serve(t, root)
	for _, path := range []string{
		"/..", "/../secret", "/../root", "/inside/../../secret", "/up", "/up/secret", "/absolute", "/across",
		"/nowhere", "/file", "/file/", "/inside/file",
	} {
		got := f.Do(t, request(path))
		want := "Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNot Found\n"
		if got.Stdout != want || !strings.HasPrefix(got.Stderr, "dirlist: ") {
			t.Errorf("%s is answered with %+v", path, got)
		}
	}
	if found := entries(t, f.Do(t, request("/inside"))); len(found) != 5 {
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
	f, srv := serve(t, dir)

	t.Run("complete", func(t *testing.T) {
		got := f.Do(t, request("/"))
		if lines, n := strings.Count(got.Body(), "\n"), len(entries(t, got)); lines != size || n != size {
			t.Errorf("there are %d entries in %d lines", n, lines)
		}
	})
	// While the web server takes nothing there is no goroutine for the list,
	// and when it goes away the directory is closed.
	t.Run("given up", func(t *testing.T) {
		before := descriptors(dir)
		resp, err := f.Client.Do(t.Context(), request("/"))
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
	p := front.Start(t, "-root", dir)
	if found := entries(t, p.Do(t, request("/"))); len(found) != 1 {
		t.Errorf("there is %v", found)
	}
	p.Stop(t)
	if said, ok := front.Run(t, "-root", filepath.Join(dir, "missing")); ok || !strings.HasPrefix(said, "dirlist: ") {
		t.Errorf("without a root: exit 0 is %v, says %q", ok, said)
	}
}
