package interop_test

import (
	"bufio"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// X-Accel-Buffering sends on what nginx would collect: the first line arrives although there is no second.
func TestNginxAccelBuffering(t *testing.T) {
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
