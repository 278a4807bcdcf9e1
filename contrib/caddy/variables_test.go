package caddyfcgi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// What differs from the variables of Caddy's own transport, each for a reason in docs/caddy-module.md.
const (
	onlyTheirs = "they send it alone"
	onlyOurs   = "we send it alone"
	different  = "the values differ"
)

// The same request through Caddy's transport and through ours.
func TestVariables(t *testing.T) {
	t.Parallel()
	app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		io.Copy(io.Discard, r)
		fastcgi.SendResponse(w, 200, "application/json", r.Params.Map())
	}))
	root := t.TempDir()
	for _, scheme := range []string{"http://", "https://"} {
		site := fmt.Sprintf("vars user probe\n@login path /login/*\nrewrite /old/* /new.php/info?rewritten=1\n"+
			"root * %s\nreverse_proxy @theirs %s {\ntransport fastcgi {\nsplit .php .PhP5\nenv EXTRA {http.vars.user}\nenv HTTP_X_SET set\n}\n}\n"+
			"reverse_proxy %s {\ntransport fcgi {\nsplit .php .PhP5\nenv EXTRA {http.vars.user}\nenv HTTP_X_SET set\n}\n}\n"+
			"@theirs header X-Side theirs", root, app.upstream(), app.upstream())
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
		if scheme == "https://" {
			cert, key := certificate(t)
			site += fmt.Sprintf("\ntls %s %s", cert, key)
			transport.ForceAttemptHTTP2 = true
		}
		s := serveSite(t, scheme, site)
		c := &http.Client{Transport: transport}
		for _, tt := range []struct {
			method, path, body string
			header             http.Header
			want               map[string]string
		}{
			{"GET", "/", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"GET", "/a/b.php/c/d?x=1&y=%20", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"GET", "/a.PHP5/c", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"GET", "/a%20b.php/%E2%82%AC", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"GET", "/a.php/../b.php//c", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"GET", "/old/x?q=1", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"HEAD", "/a.php", "", nil, nil},
			{"OPTIONS", "/a.php", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"DELETE", "/a.php", "", nil, map[string]string{"CONTENT_LENGTH": onlyTheirs, "CONTENT_TYPE": different}},
			{"POST", "/a.php", "a=b", nil, map[string]string{"CONTENT_TYPE": different}},
			{"POST", "/a.php", "a=b", http.Header{"Content-Type": {"text/plain"}}, map[string]string{"HTTP_CONTENT_TYPE": onlyTheirs}},
			{"GET", "/a.php", "", http.Header{
				"Accept": {"a", "b"}, "Proxy": {"evil"}, "X-Set": {"client"}, "Authorization": {"Basic eA=="}, "X-Forwarded-For": {"192.0.2.1"},
			}, map[string]string{"CONTENT_LENGTH": onlyTheirs}},
			{"GET", "/a.php", "", http.Header{"Cookie": {"a=1", "b=2"}, "X_User": {"evil"}, "X.User": {"evil"}}, map[string]string{
				"CONTENT_LENGTH": onlyTheirs, "HTTP_COOKIE": different,
			}},
		} {
			theirs, ours := variables(t, c, s.url, tt.method, tt.path, tt.body, tt.header, "theirs"),
				variables(t, c, s.url, tt.method, tt.path, tt.body, tt.header, "ours")
			want := maps.Clone(tt.want)
			if want == nil {
				want = make(map[string]string)
			}
			if tt.method != "HEAD" {
				want["HTTP_CONTENT_LENGTH"] = onlyTheirs
				want["SERVER_SOFTWARE"] = different
			}
			if scheme == "https://" && tt.method != "HEAD" {
				want["SSL_CLIENT_VERIFY"] = onlyOurs
				if tt.header["Cookie"] != nil {
					delete(want, "HTTP_COOKIE") // HTTP/2 joins them itself
				}
			}
			got := differences(theirs, ours)
			for name, how := range want {
				if got[name] != how && name != "HTTP_CONTENT_LENGTH" {
					t.Errorf("%s %s%s: %s: got %q, want %q", scheme, tt.method, tt.path, name, got[name], how)
				}
			}
			for name, how := range got {
				if want[name] != how {
					t.Errorf("%s %s%s: %s: %s: theirs %q, ours %q", scheme, tt.method, tt.path, name, how, theirs[name], ours[name])
				}
			}
		}
		transport.CloseIdleConnections()
	}
}

func variables(t *testing.T, c *http.Client, url, method, path, body string, header http.Header, side string) map[string]string {
	t.Helper()
	var b io.Reader
	if body != "" {
		b = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url+path, b)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	req.Header.Set("X-Side", side)
	code, text, err := ask(c, req)
	if err != nil || code != 200 {
		t.Fatalf("%s %s: %d, %v", method, path, code, err)
	}
	v := make(map[string]string)
	if method != "HEAD" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// differences says of each variable that is not the same how it is not.
func differences(theirs, ours map[string]string) map[string]string {
	different := map[string]string{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(theirs)), slices.Collect(maps.Keys(ours))) {
		a, inTheirs := theirs[name]
		b, inOurs := ours[name]
		switch {
		case name == "REMOTE_PORT", name == "HTTP_X_SIDE":
		case !inOurs:
			different[name] = onlyTheirs
		case !inTheirs:
			different[name] = onlyOurs
		case a != b:
			different[name] = "the values differ"
		}
	}
	return different
}

// certificate makes one for 127.0.0.1 and returns the names of its files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := socketDir(t)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// The application is on TCP, with TLS and certificates on both sides.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	address := freeAddress(t)
	l, err := fastcgi.Listen("tls:"+address, &fastcgi.ListenOptions{CertFile: cert, KeyFile: key, ClientCAFile: cert})
	if err != nil {
		t.Fatal(err)
	}
	srv := &fastcgi.Server{Handler: hello}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	defer func() {
		srv.Close()
		<-done
	}()
	tlsProxy := func(options string) string {
		return fmt.Sprintf("reverse_proxy %s {\ntransport fcgi {\n%s\n}\n}", address, options)
	}
	s := serve(t, tlsProxy(fmt.Sprintf("tls_ca %s\ntls_client_auth %s %s\nmultiplex on", cert, cert, key)))
	for range 3 {
		if code, body := s.get("/"); code != 200 || body != "hello" {
			t.Errorf("%d %q", code, body)
		}
	}
	s.reload(tlsProxy("tls\ndial_timeout 1s"))
	if code, _ := s.get("/"); code != 502 {
		t.Errorf("status %d with an unknown authority", code)
	}
}
