//go:build unix

package interop_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
)

// HAProxy reaches an application over mutual TLS by what docs/tls.md prints, and without its certificate it does not.
func TestHAProxyOverTLS(t *testing.T) {
	_, rest, _ := strings.Cut(readFile(t, "../docs/tls.md"), "```haproxy\n")
	printed, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/tls.md prints nothing for HAProxy")
	}
	p := newPlace(t)
	authority := certstest.NewAuthority(t, "authority")
	app, web := authority.Pair("app.internal"), authority.Pair("web.internal")
	opts := &fastcgi.ListenOptions{
		ClientCAFile: p.write(t, "ca.pem", string(authority.PEM)),
		ErrorLog:     slog.New(slog.DiscardHandler),
	}
	opts.CertFile, opts.KeyFile = app.Write(t, p.dir, "app")
	p.write(t, "web-both.pem", string(web.Cert)+string(web.Key))
	l, err := fastcgi.Listen("tls:"+p.tcp, opts)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", "hello")
	})}, l)
	text := strings.NewReplacer("app.internal:9000", p.tcp, "/etc/haproxy/", p.dir+"/").Replace(printed) +
		"\nfrontend web\n    bind 127.0.0.1:8080\n    default_backend app\n"
	t.Run("with certificate", func(t *testing.T) {
		s := haproxy.runText(t, p, "overtls.cfg", text, "")
		for range 3 {
			s.get(t, "").want(t, 200, "hello")
		}
	})
	t.Run("without", func(t *testing.T) {
		s := haproxy.runText(t, p, "without.cfg", strings.Replace(text, " crt "+p.dir+"/web-both.pem", "", 1), "")
		if a := s.get(t, ""); a.StatusCode < 500 {
			t.Errorf("status %d", a.StatusCode)
		}
	})
}
