package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

func TestMain(m *testing.M) { front.Main(m, main) }

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestProgram(t *testing.T) {
	p := front.StartInherited(t)
	if got := p.Get(t, "").Body(); !strings.HasPrefix(got, "<!DOCTYPE html>") {
		t.Errorf("the page is %.100q", got)
	}
	p.Stop(t)
}

// get is a request for a path.
func get(path, query string) *client.Request {
	return &client.Request{Params: []client.Pair{
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "SCRIPT_NAME", Value: ""},
		{Name: "PATH_INFO", Value: path},
		{Name: "QUERY_STRING", Value: query},
	}}
}

// post is one with a form.
func post(path, form string) *client.Request {
	req := get(path, "")
	req.Params[0].Value = "POST"
	req.Params = append(req.Params,
		client.Pair{Name: "CONTENT_TYPE", Value: "application/x-www-form-urlencoded"},
		client.Pair{Name: "CONTENT_LENGTH", Value: strconv.Itoa(len(form))})
	req.Stdin = strings.NewReader(form)
	return req
}

func TestPaths(t *testing.T) {
	files := t.TempDir()
	for _, dir := range []string{"a", ".hidden"} {
		if err := os.Mkdir(filepath.Join(files, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := front.Serve(t, newServer(openRoot(t, files)))
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, tt := range []struct {
		request *client.Request
		status  string
		body    string // the start of it
	}{
		{get("/", ""), "200 OK", "<!DOCTYPE html>"},
		{get("/elsewhere", ""), "404 Not Found", ""},
		{get("/environment", "x"), "200 OK", `{"REQUEST_METHOD":"GET"`},
		{post("/upload", ""), "200 OK", `{"bytes":0,"chunks":1,"sha256":"` + empty + `"}`},
		{post("/upload", "abc"), "200 OK", `{"bytes":3,`},
		{get("/files", ""), "200 OK", `{"name":"a","dir":true,`},
		{get("/files", "path=a"), "200 OK", ""},
		{get("/files", "path=.."), "404 Not Found", "Not Found\n"},
		{get("/files", "path=a/../.."), "404 Not Found", "Not Found\n"},
		{get("/files", "path=/etc"), "404 Not Found", "Not Found\n"},
		{get("/files", "path=%zz"), "404 Not Found", "Not Found\n"},
		{get("/guests", ""), "200 OK", "[]\n"},
		{post("/guests", "name="), "400 Bad Request", ""},
		{post("/guests", "name="+strings.Repeat("x", maxName+1)), "400 Bad Request", ""},
		{post("/guests", "name="+strings.Repeat("%C3%A9", maxName)), "200 OK", `["é`},
		{post("/guests", "name=+Ada+"), "200 OK", `["Ada","é`},
		{get("/source/routes.go", ""), "200 OK", "package main"},
		{get("/source/main_test.go", ""), "404 Not Found", ""},
		{get("/stats", ""), "200 OK", `{"OpenConns":`},
	} {
		got := f.Do(t, tt.request)
		if status, _, _ := strings.Cut(got.Header(), "\r\n"); status != "Status: "+tt.status || !strings.HasPrefix(got.Body(), tt.body) {
			t.Errorf("%v is answered with %.300q", tt.request.Params, got.Stdout)
		}
	}
}

func TestGuestBookForgets(t *testing.T) {
	f := front.Serve(t, newServer(openRoot(t, ".")))
	for i := range maxGuests + 2 {
		f.Do(t, post("/guests", "name="+strconv.Itoa(i)))
	}
	if got := f.Do(t, get("/guests", "")).Body(); got != `["9","8","7","6","5","4","3","2"]`+"\n" {
		t.Errorf("the book has %s", got)
	}
}
