//go:build unix

package interop_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// haproxyPrinted has the tests of the files in docs/haproxy, each of what the file is printed for. TestHAProxy has the
// scenarios, TestHAProxyDebian what depends on Debian's folders.
var haproxyPrinted = []printedTest{
	{[]string{"minimal.cfg"}, haproxyMinimal},
	{[]string{"production.cfg"}, haproxyAborts},
	{[]string{"multiplex.cfg"}, haproxyMultiplexes},
	{[]string{"close.cfg"}, haproxyCloses},
	{[]string{"tls.cfg"}, haproxyTLS},
	{[]string{"prefix.cfg"}, haproxyPrefix},
	{[]string{"realip.cfg"}, haproxyRealIP},
	{[]string{"app.service", "app.socket"}, haproxyActivation},
}

func TestHAProxyPrinted(t *testing.T) { haproxy.testPrinted(t, haproxyPrinted) }

// haproxyMinimal finds what HAProxy says differently from others.
func haproxyMinimal(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "sync")
	s := haproxy.run(t, p, "minimal.cfg", "")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("Authorization", "Basic dTpw")
	req.Header["Proxy"] = []string{"http://evil.example/"}
	req.Header["X-Twice"] = []string{"one", "two"}
	got := params(t, s.do(t, req))
	wantParams(t, got, map[string]string{
		"CONTENT_LENGTH": "0", "SCRIPT_NAME": "/", "PATH_INFO": "", "SERVER_NAME": s.addr, "DOCUMENT_ROOT": "/",
		"HTTP_AUTHORIZATION": "", "HTTP_PROXY": "", "HTTP_X_TWICE": "two",
	})
	local := s.get(t, "do=redirect&to=/elsewhere")
	if local.StatusCode != 302 || local.Header.Get("Location") != "/elsewhere" {
		t.Errorf("a local redirect: status %d, Location %q", local.StatusCode, local.Header.Get("Location"))
	}
	if a := s.get(t, "do=status&code=304"); a.StatusCode != 304 || a.Header.Get("Content-Length") != "0" {
		t.Errorf("status %d has the Content-Length %q", a.StatusCode, a.Header.Get("Content-Length"))
	}
}

// inParallel sends requests for a query at the same time. All must be answered.
func inParallel(t *testing.T, s *site, n int, query, body string) {
	t.Helper()
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			a, err := s.try(s.request(t, http.MethodGet, query, nil))
			if err != nil {
				t.Error(err)
				return
			}
			a.want(t, 200, body)
		})
	}
	clients.Wait()
}

// tapped has a tap between a configuration's port and an application in this process.
func tapped(t *testing.T, srv *fastcgi.Server, config string) (*site, *tap) {
	t.Helper()
	p := newPlace(t)
	app := freePorts(t, 1)[0]
	serve(t, srv, "tcp:"+app)
	where := p.tcp
	if config == "production.cfg" {
		where = "unix:" + p.socket
	}
	tp := newTap(t, where, app)
	return haproxy.run(t, p, config, ""), tp
}

// gathering returns a handler of which n requests wait for each other; others do not.
func gathering(n int) fastcgi.HandlerFunc {
	var all sync.WaitGroup
	all.Add(n)
	return func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		if r.Params.Get("QUERY_STRING") == "gather" {
			all.Done()
			all.Wait()
		}
		_ = fastcgi.SendResponse(w, 200, "text/plain", "ok\n")
	}
}

// haproxyAborts leaves within an upload, while the application waits for more, which is when HAProxy sends ABORT_REQUEST.
func haproxyAborts(t *testing.T, _ string) {
	piece := strings.Repeat("a piece of the body", 2000) // more than HAProxy collects to be able to send it again
	begun, ended := make(chan struct{}), make(chan error, 1)
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
		_, _ = io.ReadFull(r, make([]byte, len(piece)))
		close(begun)
		_, err := io.Copy(io.Discard, r)
		ended <- err
	})}
	s, tp := tapped(t, srv, "production.cfg")
	client, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"+piece); err != nil {
		t.Fatal(err)
	}
	select {
	case <-begun:
	case <-time.After(patience):
		t.Fatal("the handler does not get the body's beginning")
	}
	client.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, fastcgi.ErrAborted) {
			t.Errorf("reading the body ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the handler goes on")
	}
	if n := tp.count(protocol.TypeAbortRequest); n != 1 {
		t.Errorf("there were %d ABORT_REQUEST", n)
	}
}

// haproxyMultiplexes has requests wait for each other, more than a connection takes. HAProxy asks how many that are, and
// none is refused.
func haproxyMultiplexes(t *testing.T, _ string) {
	const limit, requests = 10, 100
	srv := &fastcgi.Server{MaxRequestsPerConn: limit, Handler: gathering(requests)}
	s, tp := tapped(t, srv, "multiplex.cfg")
	for range 3 {
		inParallel(t, s, limit, "", "ok\n") // for HAProxy to have connections, and know what they take
	}
	inParallel(t, s, requests, "gather", "ok\n")
	if conns, most := tp.sharing(); most > limit || most < 2 {
		t.Errorf("%d requests at once on %d connections, up to %d on one; told %d", requests, conns, most, limit)
	}
	if tp.count(protocol.TypeGetValues) == 0 || tp.count(protocol.TypeGetValuesResult) == 0 {
		t.Error("HAProxy has not asked")
	}
}

// haproxyCloses has a connection for each request, and gives it up with the client.
func haproxyCloses(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "sync")
	s := haproxy.run(t, p, "close.cfg", "")
	runScenario(t, s, "client leaves a silent request")
}

// haproxyTLS speaks HTTP/2 over TLS with HAProxy.
func haproxyTLS(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "http")
	writeCertificate(t, p)
	p.write(t, "app.pem", p.read(t, "app.pem")+p.read(t, "app.key"))
	s := haproxy.run(t, p, "tls.cfg", "")
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"HTTPS": "on", "SERVER_PROTOCOL": "HTTP/2.0", "SSL_PROTOCOL": "TLSv1.3", "SSL_TLS_SNI": "app.example.com",
	})
	for _, name := range []string{"response of 10 MB", "echo of 4 MB", "stream, chunk by chunk", "HEAD", "many requests, 64 at once"} {
		runScenario(t, s, name)
	}
}

func haproxyPrefix(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "sync")
	s := haproxy.run(t, p, "prefix.cfg", "")
	ask := func(raw string) answer {
		return s.sendRaw(t, "GET "+raw+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	}
	for raw, info := range map[string]string{
		"/app/":           "/",
		"/app/a/b":        "/a/b",
		"/app/app/c":      "/app/c",
		"/app//d":         "//d",
		"/app/%C3%BC%2Ff": "/ü/f",
	} {
		wantParams(t, params(t, ask(raw)), map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": info, "REQUEST_URI": raw})
	}
	wantStatus(t, ask("/app/line%0Abreak"), 500)
	wantStatus(t, ask("/elsewhere"), 503)
}

// haproxyRealIP believes a load balancer whom it speaks for.
func haproxyRealIP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "sync")
	s := haproxy.run(t, p, "realip.cfg", "")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.7")
	wantParams(t, params(t, s.do(t, req)), map[string]string{"REMOTE_ADDR": "203.0.113.7"})
}

// haproxyActivation restarts the application under load, as systemd does with the printed units (F9).
func haproxyActivation(t *testing.T, probe string) {
	p := newPlace(t)
	units := p.fill(strings.Replace(printed(t, "haproxy", "app.socket"), "/var/lib/haproxy", "", 1) + printed(t, "haproxy", "app.service"))
	socket := openSocket(t, "unix:"+setting(t, units, "ListenStream"))
	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", probe, 1)
	app := startActivated(t, syscall.SIGTERM, command, socket)
	s := haproxy.run(t, p, "production.cfg", "")
	load := s.keepAsking(t, http.MethodPost)
	defer load.stop()
	for range 5 {
		load.awaitSome(t)
		app.stop(t, syscall.SIGTERM)
		app = startActivated(t, syscall.SIGTERM, command, socket)
	}
	load.awaitSome(t)
}
