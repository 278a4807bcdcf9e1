package fastcgi_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// serveHTTP starts a server of h.
func (p place) serveHTTP(t testing.TB, h http.Handler) *app {
	t.Helper()
	return p.serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(h)})
}

// httpGet are the parameters of a plain request, but for those that more has as well.
func httpGet(more ...string) []string {
	var pairs []string
	for p := range slices.Chunk([]string{
		"REQUEST_METHOD", "GET", "SERVER_PROTOCOL", "HTTP/1.1", "REQUEST_URI", "/", "HTTP_HOST", "example.com",
		"REMOTE_ADDR", "192.0.2.1", "REMOTE_PORT", "1234", "CONTENT_LENGTH", "",
	}, 2) {
		replaced := false
		for q := range slices.Chunk(more, 2) {
			replaced = replaced || q[0] == p[0]
		}
		if !replaced {
			pairs = append(pairs, p...)
		}
	}
	return append(pairs, more...)
}

// A nil handler is what it is in net/http.
func TestHTTPDefaultMux(t *testing.T) {
	usual := http.DefaultServeMux
	t.Cleanup(func() { http.DefaultServeMux = usual })
	http.DefaultServeMux = http.NewServeMux()
	http.HandleFunc("/tea", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) })
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, nil).dial(t)
		if got := web.ask(1, httpGet("REQUEST_URI", "/tea")...).status(); got != 418 {
			t.Errorf("status %d", got)
		}
	})
}
