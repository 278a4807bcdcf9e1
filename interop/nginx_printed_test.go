package interop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// nginxPrinted has the tests of the files in docs/nginx, each of what the file is printed for.
var nginxPrinted = []printedTest{
	{[]string{"minimal.conf"}, nginxMinimal},
	{[]string{"production.conf"}, nginxProduction},
	{[]string{"tls.conf"}, nginxTLS},
	{[]string{"complete.conf"}, nginxComplete},
	{[]string{"prefix.conf"}, nginxPrefix},
	{[]string{"realip.conf"}, nginxRealIP},
	{[]string{"tcp.conf"}, nginxTCP},
	{[]string{"auth.conf"}, nginxAuth},
	{[]string{"several.conf"}, nginxSeveral},
	{[]string{"files.conf"}, nginxFiles},
	{[]string{"cgi.conf"}, nginxCGI},
	{[]string{"app.service", "app.socket"}, nginxActivation},
}

func TestNginxPrinted(t *testing.T) { nginx.testPrinted(t, nginxPrinted) }

// nginxMinimal finds nginx's own limit for bodies, and Debian's idea of a host.
func nginxMinimal(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := nginx.run(t, p, "minimal.conf", "")
	wantParams(t, params(t, s.get(t, "")), map[string]string{"HTTP_HOST": "127.0.0.1"})
	for n, status := range map[int64]int{1 << 20: 200, 1<<20 + 1: 413} {
		req := s.request(t, http.MethodPost, "do=digest", noise(n))
		req.ContentLength = n
		if a := s.do(t, req); a.StatusCode != status {
			t.Errorf("a body of %d bytes: status %d, want %d", n, a.StatusCode, status)
		}
	}
}

// nginxProduction goes through the locations that set buffering themselves, and counts connections.
func nginxProduction(t *testing.T, probe string) {
	for _, tt := range []struct {
		path                                string
		requestBuffering, responseBuffering bool
		length                              string // of a body whose client does not say
	}{
		{"/events/", true, false, "1000000"},
		{"/upload/", false, true, ""},
	} {
		t.Run(strings.Trim(tt.path, "/"), func(t *testing.T) {
			p := newPlace(t)
			restart := application{program: probe, args: []string{"-mode", "async"}}.listen(t, "unix:"+p.socket)
			s := nginx.run(t, p, "production.conf", "")
			s.path, s.restart = tt.path, restart
			s.keepAlive, s.requestBuffering, s.responseBuffering = true, tt.requestBuffering, tt.responseBuffering
			runScenarios(t, s)
			// So much that nginx has not seen the end when it passes the request on.
			chunked := s.request(t, http.MethodPost, "", noise(1_000_000))
			wantParams(t, params(t, s.do(t, chunked)), map[string]string{"CONTENT_LENGTH": tt.length})
		})
	}
	t.Run("connections", nginxKeepsConnections)
}

// nginxKeepsConnections counts connections: each of nginx's workers needs one for requests that come one by one. After
// an answer to HEAD it closes it.
func nginxKeepsConnections(t *testing.T) {
	p := newPlace(t)
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.Method, r.ContentLength)
	}))}
	serve(t, srv, "unix:"+p.socket)
	s := nginx.run(t, p, "production.conf", "")
	const heads = 5
	for range heads {
		for range 10 {
			s.get(t, "").want(t, 200, "GET 0\n")
			s.post(t, "", "body").want(t, 200, "POST 4\n")
		}
		s.do(t, s.request(t, http.MethodHead, "", nil)).want(t, 200, "")
	}
	if conns := srv.Stats().Conns; conns > nginxWorkers+heads {
		t.Errorf("%d connections, for %d workers and %d HEAD requests", conns, nginxWorkers, heads)
	}
}

// nginxTLS speaks HTTP/2 over TLS with nginx.
func nginxTLS(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	writeCertificate(t, p)
	s := nginx.run(t, p, "tls.conf", `
		ssl_protocols TLSv1.2 TLSv1.3; # as in Debian's nginx.conf
		client_max_body_size 1g; fastcgi_buffering off; fastcgi_request_buffering off;`)
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"HTTPS":           "on",
		"REQUEST_SCHEME":  "https",
		"SERVER_PROTOCOL": "HTTP/2.0",
		"SSL_PROTOCOL":    "TLSv1.3",
		"SSL_TLS_SNI":     "app.example.com",
	})
	for _, name := range []string{
		"upload of unknown length", "response of 10 MB", "conversation", "stream, chunk by chunk", "HEAD", "204 and 304",
		"client leaves a silent request", "client leaves within its upload", "client leaves within the response",
		"many requests, 64 at once",
	} {
		runScenario(t, s, name)
	}
}

// writeCertificate makes a certificate where tls.conf expects one.
func writeCertificate(t *testing.T, p *place) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "app.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	p.write(t, "app.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// nginxPrefix splits paths, odd ones as well: CVE-2019-11043 was a line break.
func nginxPrefix(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := nginx.run(t, p, "prefix.conf", "")
	for raw, info := range map[string]string{
		"/app/":                  "/",
		"/app/a/b":               "/a/b",
		"/app/app/c":             "/app/c",
		"/app//d":                "/d",
		"/app/line%0Abreak/e%0A": "/line\nbreak/e\n",
		"/app/%C3%BC%2Ff":        "/ü/f",
	} {
		s.path = raw
		got := params(t, s.sendRaw(t, "GET "+raw+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		wantParams(t, got, map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": info, "REQUEST_URI": raw})
	}
	s.path = "/app"
	if a := s.get(t, ""); a.StatusCode != 301 {
		t.Errorf("%s without a slash: status %d", s.path, a.StatusCode)
	}
}

// nginxRealIP believes a load balancer, and nobody else, whom it speaks for.
func nginxRealIP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := nginx.run(t, p, "realip.conf", "")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.7, 127.0.0.1")
	wantParams(t, params(t, s.do(t, req)), map[string]string{"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": ""})
}

func nginxTCP(t *testing.T, probe string) {
	p := newPlace(t)
	restart := application{program: probe}.listen(t, "tcp:"+p.tcp)
	s := nginx.run(t, p, "tcp.conf", "client_max_body_size 1g;")
	s.restart = restart
	s.keepAlive, s.requestBuffering, s.responseBuffering = true, true, true
	runScenarios(t, s)
}

// nginxAuth asks the application who may pass, which is how nginx does without the Authorizer role.
func nginxAuth(t *testing.T, _ string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "let-me-in" {
			http.Error(w, "denied", http.StatusForbidden)
			return
		}
		asked := fmt.Sprint(r.Method, " for ", r.Header.Get("X-Original-URI"), " with ", r.ContentLength)
		w.Header().Set("X-Auth-User", "joe asks by "+asked)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, fastcgi.FromContext(r.Context()).Params.Get("REMOTE_USER"))
	})
	p := newPlace(t)
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(mux)}, "unix:"+p.socket)
	s := nginx.run(t, p, "auth.conf", "")

	if a := s.get(t, ""); a.StatusCode != 403 {
		t.Errorf("without a token: status %d", a.StatusCode)
	}
	req := s.request(t, http.MethodPost, "a=b", strings.NewReader("body"))
	req.Header.Set("X-Token", "let-me-in")
	s.do(t, req).want(t, 200, "joe asks by GET for /?a=b with 0\n")
	s.path = "/auth"
	if a := s.get(t, ""); a.StatusCode != 404 {
		t.Errorf("/auth from outside: status %d", a.StatusCode)
	}
}
