package interop_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// nginxComplete goes through everything that the file has together.
func nginxComplete(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	writeCertificate(t, p)
	s := nginx.run(t, p, "complete.conf", "ssl_protocols TLSv1.2 TLSv1.3;") // as in Debian's nginx.conf
	s.keepAlive, s.requestBuffering, s.responseBuffering = true, true, true

	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.7, 127.0.0.1")
	wantParams(t, params(t, s.do(t, req)), map[string]string{
		"HTTPS": "on", "SERVER_PROTOCOL": "HTTP/2.0", "SSL_PROTOCOL": "TLSv1.3", "SSL_TLS_SNI": "app.example.com",
		"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": "",
	})
	for _, name := range []string{"upload of 100 MB", "response of 10 MB", "HEAD"} {
		runScenario(t, s, name)
	}
	s.path, s.responseBuffering = "/events/", false
	runScenario(t, s, "stream, chunk by chunk")
	s.path, s.requestBuffering, s.responseBuffering = "/upload/", false, true
	runScenario(t, s, "upload of unknown length")

	plain := *s
	plain.scheme, plain.addr = "http", p.http
	a := plain.get(t, "a=b")
	if to := a.Header.Get("Location"); a.StatusCode != 301 || to != "https://app.example.com"+plain.path+"?a=b" {
		t.Errorf("http: status %d, Location %q", a.StatusCode, to)
	}
}

// What compares r.Host with a URL of the client's works with the file that passes the port, and not without. WebDAV
// does it as here.
func TestNginxHostWithPort(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	crossOrigin := http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host)
	}))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "MOVE" {
			crossOrigin.ServeHTTP(w, r)
			return
		}
		if to, err := url.Parse(r.Header.Get("Destination")); err != nil || to.Host != r.Host {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	for config, want := range map[string]struct{ form, move int }{
		"complete.conf": {200, 200},
		"minimal.conf":  {403, 502},
	} {
		t.Run(config, func(t *testing.T) {
			p := newPlace(t)
			serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(handler)}, "unix:"+p.socket)
			writeCertificate(t, p)
			s := nginx.run(t, p, config, "")
			origin := s.scheme + "://" + s.addr
			form := s.request(t, http.MethodPost, "", strings.NewReader("a=b"))
			form.Header.Set("Origin", origin)
			wantStatus(t, s.do(t, form), want.form)
			move := s.request(t, "MOVE", "", nil)
			move.Header.Set("Destination", origin+"/elsewhere")
			wantStatus(t, s.do(t, move), want.move)
			if config == "minimal.conf" {
				return
			}
			// The name is nginx's, whatever the Host field of an absolute request says.
			for host, passed := range map[string]string{
				"app.example.com": "app.example.com", "App.Example.Com:99": "app.example.com:99",
				"[::1]:99": "[::1]:99", "[::1]": "[::1]",
			} {
				req := s.request(t, http.MethodGet, "", nil)
				req.Host = host
				s.do(t, req).want(t, 200, passed)
			}
		})
	}
}
