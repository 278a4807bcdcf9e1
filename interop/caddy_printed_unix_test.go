//go:build unix

package interop_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// caddyPrinted has the tests of the files in docs/caddy, each of what the file is printed for. What depends on Debian's
// folders and ports is in TestCaddyDebian.
var caddyPrinted = []printedTest{
	{[]string{"minimal.Caddyfile"}, caddyMinimal},
	{[]string{"production.Caddyfile"}, caddyProduction},
	{[]string{"internal.Caddyfile"}, caddyInternal},
	{[]string{"prefix.Caddyfile"}, caddyPrefix},
	{[]string{"realip.Caddyfile"}, caddyRealIP},
	{[]string{"tcp.Caddyfile"}, caddyTCP},
	{[]string{"auth.Caddyfile"}, caddyAuth},
	{[]string{"app.service", "app.socket"}, caddyActivation},
}

func TestCaddyPrinted(t *testing.T) { caddy.testPrinted(t, caddyPrinted) }

// runNamed runs a configuration whose site has a name, app.example.com, and so HTTPS.
func runNamed(t *testing.T, w *webServer, p *place, config string) *site {
	t.Helper()
	s := w.run(t, p, config, "")
	s.useTLS()
	const name = "app.example.com"
	eventually(t, "Caddy has made a certificate", func() bool {
		c, err := tls.Dial("tcp", p.https, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		return err == nil && c.Close() == nil
	})
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = name + ":" + port
	s.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, p.https)
	}
	return s
}

// caddyMinimal finds what Caddy says differently from others.
func caddyMinimal(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := caddy.run(t, p, "minimal.Caddyfile", "")
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"CONTENT_LENGTH": "0", "SCRIPT_NAME": "", "PATH_INFO": "/", "HTTP_X_FORWARDED_FOR": "127.0.0.1",
	})
	chunked := s.request(t, http.MethodPost, "", noise(1_000_000))
	wantParams(t, params(t, s.do(t, chunked)), map[string]string{
		"CONTENT_LENGTH": "-1", "CONTENT_TYPE": "application/x-www-form-urlencoded",
	})
	local := s.get(t, "do=redirect&to=/elsewhere")
	if local.StatusCode != 200 || local.Header.Get("Location") != "/elsewhere" {
		t.Errorf("a local redirect: status %d, Location %q", local.StatusCode, local.Header.Get("Location"))
	}
	if status := s.get(t, "do=ignore").Header.Get("Status"); status != "200 OK" {
		t.Errorf("Status: %q", status)
	}
	nul := s.sendRaw(t, "GET /a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	wantStatus(t, nul, 400)
}

// caddyProduction speaks HTTP/2 over TLS with Caddy.
func caddyProduction(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	s := runNamed(t, caddy, p, "production.Caddyfile")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header["Proxy"] = []string{"http://evil.example/"}
	got := params(t, s.do(t, req))
	wantParams(t, got, map[string]string{
		"HTTPS": "on", "SERVER_PROTOCOL": "HTTP/2.0", "SSL_PROTOCOL": "TLSv1.3", "HTTP_PROXY": "",
	})
	a := s.get(t, "do=ignore")
	if status := a.Header.Get("Status"); status != "" {
		t.Errorf("Status: %q", status)
	}
	for _, name := range []string{
		"headers", "repeated headers", "underscores in headers", "methods", "form", "upload of unknown length",
		"upload that is not read", "response of 10 MB", "stream", "stream, chunk by chunk", "HEAD", "204 and 304", "errors",
		"client leaves within its upload", "client leaves within the response", "many requests, 64 at once",
	} {
		runScenario(t, s, name)
	}
}

// caddyInternal trusts the certificate authority that Caddy makes, and no other.
func caddyInternal(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	s := runNamed(t, caddy, p, "internal.Caddyfile")
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(p.read(t, "storage/pki/authorities/local/root.crt"))) {
		t.Fatal("no certificate")
	}
	conf := s.client.Transport.(*http.Transport).TLSClientConfig
	conf.InsecureSkipVerify, conf.RootCAs = false, roots
	wantParams(t, params(t, s.get(t, "")), map[string]string{"HTTPS": "on", "SERVER_NAME": "app.example.com"})
}

func caddyPrefix(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := caddy.run(t, p, "prefix.Caddyfile", "")
	for raw, info := range map[string]string{
		"/app/":            "/",
		"/app/a/b":         "/a/b",
		"/app/app/c":       "/app/c",
		"/app/line%0A/e":   "/line\n/e",
		"/app/%C3%BC%2Ff":  "/ü/f",
		"/app/a%20b/x.php": "/a b/x.php",
	} {
		got := params(t, s.sendRaw(t, "GET "+raw+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		wantParams(t, got, map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": info, "REQUEST_URI": raw})
	}
	s.path = "/app"
	wantStatus(t, s.get(t, ""), 302)
	s.path = "/elsewhere"
	if a := s.get(t, ""); a.body != "" {
		t.Errorf("outside of it there is %q", clip(a.body))
	}
}

// caddyRealIP believes a load balancer, and nobody else, whom it speaks for.
func caddyRealIP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	for balancer, addr := range map[string]string{"127.0.0.1": "203.0.113.7", "192.0.2.10": "127.0.0.1"} {
		distant := *caddy
		distant.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
			text := strings.Replace(readFile(t, site), "remote_ip 127.0.0.1", "remote_ip "+balancer, 1)
			return caddyCommand(t, program, p, p.write(t, "distant.Caddyfile", text), around)
		}
		t.Run(balancer, func(t *testing.T) {
			s := distant.run(t, p, "realip.Caddyfile", "")
			req := s.request(t, http.MethodGet, "", nil)
			req.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.7")
			wantParams(t, params(t, s.do(t, req)), map[string]string{"REMOTE_ADDR": addr})
		})
	}
}

// caddyTCP is for one of the kinds of handlers; TestCaddy has the others.
func caddyTCP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "async")
	s := caddy.run(t, p, "tcp.Caddyfile", "")
	runScenario(t, s, "underscores in headers")
	runScenario(t, s, "stream, chunk by chunk")
}

// caddyAuth asks the application who may pass, which is how Caddy does without the Authorizer role.
func caddyAuth(t *testing.T, _ string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-Token") {
		case "let-me-in":
			asked := fmt.Sprint(r.Method, " for ", r.Header.Get("X-Forwarded-Uri"), " with ", r.ContentLength)
			w.Header().Set("X-Auth-User", "joe asks by "+asked)
		case "guest":
		default:
			http.Error(w, "denied", http.StatusForbidden)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintln(w, fastcgi.FromContext(r.Context()).Params.Get("REMOTE_USER"), string(body), err)
	})
	p := newPlace(t)
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(mux)}, "unix:"+p.socket)
	s := caddy.run(t, p, "auth.Caddyfile", "")

	s.get(t, "").want(t, 403, "denied\n")
	for token, user := range map[string]string{
		"let-me-in": "joe asks by GET for /?a=b with 0 body <nil>\n",
		"guest":     "{http.reverse_proxy.header.X-Auth-User} body <nil>\n", // the page warns of it
	} {
		req := s.request(t, http.MethodPost, "a=b", strings.NewReader("body"))
		req.Header.Set("X-Token", token)
		req.Header.Set("X-Auth-User", "spoofed")
		s.do(t, req).want(t, 200, user)
	}
}

// caddyActivation restarts the application under load, as systemd does with the printed units (F9). No request is lost:
// Caddy makes a connection for each, and new ones wait in the socket.
func caddyActivation(t *testing.T, probe string) {
	p := newPlace(t)
	units := p.fill(printed(t, "caddy", "app.socket") + printed(t, "caddy", "app.service"))
	socket := openSocket(t, "unix:"+setting(t, units, "ListenStream"))
	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", probe, 1)
	app := startActivated(t, syscall.SIGTERM, command, socket)
	s := caddy.run(t, p, "minimal.Caddyfile", "")
	load := s.keepAsking(t, http.MethodPost)
	defer load.stop()
	for range 5 {
		load.awaitSome(t)
		app.stop(t, syscall.SIGTERM)
		app = startActivated(t, syscall.SIGTERM, command, socket)
	}
	load.awaitSome(t)
}
