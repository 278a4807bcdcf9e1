package interop_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// Behind nginx as its page has it below a path, a handler sees its own paths, and its redirects lead there.
func TestNginxStripScriptName(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/dir/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path, " ", r.URL.RawPath, " ", r.RequestURI, " ", fastcgi.BasePath(r.Context()))
	})
	p := newPlace(t)
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(fastcgi.StripScriptName(mux))}, "unix:"+p.socket)
	s := nginx.run(t, p, "prefix.conf", "")
	for uri, want := range map[string]string{
		"/app/dir/a?b":       "/dir/a  /app/dir/a?b /app",
		"/app/dir/a%2Fb":     "/dir/a/b /dir/a%2Fb /app/dir/a%2Fb /app",
		"/app/dir/a%0Ab":     "/dir/a\nb  /app/dir/a%0Ab /app",
		"/app/x/../dir/":     "/dir/  /app/x/../dir/ /app",
		"/app//dir/":         "/dir/  /app//dir/ /app",
		"/app/dir/%C3%BC%25": "/dir/ü%  /app/dir/%C3%BC%25 /app",
	} {
		s.sendRaw(t, "GET "+uri+" HTTP/1.1\r\nHost: "+s.addr+"\r\nConnection: close\r\n\r\n").want(t, 200, want)
	}
	redirect := s.sendRaw(t, "GET /app/dir HTTP/1.1\r\nHost: "+s.addr+"\r\nConnection: close\r\n\r\n")
	if got := redirect.Header.Get("Location"); got != "/app/dir/" {
		t.Errorf("redirected to %q", got)
	}
}
