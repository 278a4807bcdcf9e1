package interop_test

import (
	"bufio"
	"net/http"
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// X-Accel-Buffering sends on what nginx would collect: the first line arrives although there is no second.
func TestNginxAccelBuffering(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		_ = fastcgi.SendResponse(w, 200, "text/plain", "begin\n", fastcgi.Pair{Name: "X-Accel-Buffering", Value: "no"})
		_ = w.Flush()
		hang(w, r)
	})(t, p)
	s := nginx.run(t, p, "minimal.conf", "")
	resp := s.begin(t, s.request(t, http.MethodGet, "", nil))
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "begin\n" {
		t.Errorf("the first line is %q, %v", line, err)
	}
}

// X-Accel-Redirect is nginx's own kind of a local redirect.
func TestNginxAccelRedirect(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		if uri := r.Params.Get("DOCUMENT_URI"); uri != "/" {
			_ = fastcgi.SendResponse(w, 200, "text/plain", uri)
			return
		}
		_ = fastcgi.SendResponse(w, 200, "text/plain", nil, fastcgi.Pair{Name: "X-Accel-Redirect", Value: "/elsewhere"})
	})(t, p)
	nginx.run(t, p, "minimal.conf", "").get(t, "").want(t, 200, "/elsewhere")
}

// nginxFiles lets the application decide who gets a file, and nginx send it.
func nginxFiles(t *testing.T, _ string) {
	p := newPlace(t)
	if err := os.Mkdir(p.path("files"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write(t, "files/a b.csv", "one,two\nthree,four\n")
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		if r.Params.Get("HTTP_X_TOKEN") != "let-me-in" {
			_ = fastcgi.SendResponse(w, 403, "text/plain", nil)
			return
		}
		_ = fastcgi.SendResponse(w, 200, "text/csv", nil,
			fastcgi.Pair{Name: "X-Accel-Redirect", Value: "/files/a%20b.csv"},
			fastcgi.Pair{Name: "Content-Disposition", Value: "attachment"},
			fastcgi.Pair{Name: "Set-Cookie", Value: "a=b"})
	})(t, p)
	s := nginx.run(t, p, "files.conf", "")
	wantStatus(t, s.get(t, ""), 403)

	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Token", "let-me-in")
	a := s.do(t, req)
	a.want(t, 200, "one,two\nthree,four\n")
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": "attachment", "Set-Cookie": "a=b", "X-Accel-Redirect": "",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	req.Header.Set("Range", "bytes=4-6")
	s.do(t, req).want(t, 206, "two")

	s.path = "/files/a%20b.csv"
	wantStatus(t, s.get(t, ""), 404)
}
