package interop_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A FileSender has nginx send a file, with what the handler says of it, and with ranges.
func TestNginxFileSender(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	p := newPlace(t)
	sendsFiles(t, p, &fastcgi.FileSender{Dir: p.path("files"), Location: "/files/"})
	wantFile(t, nginx.run(t, p, "files.conf", ""))
}

// Apache does so with mod_xsendfile.
func TestApacheFileSender(t *testing.T) {
	t.Parallel()
	apache.find(t)
	p := newPlace(t)
	sendsFiles(t, p, &fastcgi.FileSender{Dir: p.path("files"), XSendfile: true})
	wantFile(t, apache.run(t, p, "sendfile.conf", ""))
}

// sendsFiles is an application that sends one file, of many, to everybody.
func sendsFiles(t *testing.T, p *place, sender *fastcgi.FileSender) {
	t.Helper()
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private")
		sender.SendFile(w, r, "50% off/größe.html")
	}))}, "unix:"+p.socket)
}

// wantFile makes that file, and wants the web server to send it.
func wantFile(t *testing.T, s *site) {
	t.Helper()
	if err := os.MkdirAll(s.place.path("files/50% off"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.place.write(t, "files/50% off/größe.html", "0123456789")
	a := s.get(t, "")
	a.want(t, 200, "0123456789")
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Length": "10", "Cache-Control": "private",
		"X-Accel-Redirect": "", "X-Sendfile": "",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("Range", "bytes=2-4")
	s.do(t, req).want(t, 206, "234")
}
