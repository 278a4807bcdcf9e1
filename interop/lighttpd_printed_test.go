//go:build linux

package interop_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// lighttpdPrinted has the tests of the files in docs/lighttpd, each of what the file is printed for.
var lighttpdPrinted = []printedTest{
	{[]string{"minimal.conf"}, lighttpdMinimal},
	{[]string{"production.conf"}, lighttpdProduction},
	{[]string{"spawn.conf"}, lighttpdSpawn},
	{[]string{"tls.conf"}, lighttpdTLS},
	{[]string{"realip.conf"}, lighttpdRealIP},
	{[]string{"prefix.conf"}, lighttpdPrefix},
	{[]string{"authorizer.conf"}, lighttpdAuthorizer},
	{[]string{"files.conf"}, lighttpdFiles},
	{[]string{"tcp.conf"}, lighttpdTCP},
	{[]string{"app.service", "app.socket"}, func(t *testing.T, probe string) { restartsUnits(t, lighttpd, probe) }},
}

func TestLighttpdPrinted(t *testing.T) { lighttpd.testPrinted(t, lighttpdPrinted) }

// lighttpdMinimal leaves everything as lighttpd has it by itself: bodies are collected in both directions.
func lighttpdMinimal(t *testing.T, probe string) {
	p := newPlace(t)
	restart := application{program: probe}.listen(t, "unix:"+p.socket)
	s := lighttpd.run(t, p, "minimal.conf", "")
	s.requestBuffering, s.responseBuffering, s.restart = true, true, restart
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"HTTP_HOST": s.addr, "SCRIPT_NAME": "", "PATH_INFO": "/", "SERVER_NAME": "127.0.0.1",
	})
	runScenarios(t, s)
}

// lighttpdProduction finds the limits.
func lighttpdProduction(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := lighttpd.run(t, p, "production.conf", "")
	const limit = 1 << 30
	for path, status := range map[string]int{"/": 413, "/upload/": 200} {
		a := s.sendRaw(t, fmt.Sprintf("POST %s?do=ignore HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", path, limit+1))
		wantStatus(t, a, status)
	}
}

// lighttpdTLS speaks HTTP/2 over TLS with lighttpd, which notices there when a client leaves.
func lighttpdTLS(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	writeCertificate(t, p)
	s := lighttpd.run(t, p, "tls.conf", "")
	s.requestBuffering = true
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"HTTPS":           "on",
		"REQUEST_SCHEME":  "https",
		"SERVER_PROTOCOL": "HTTP/2.0",
		"SSL_PROTOCOL":    "TLSv1.3",
	})
	for _, name := range []string{
		"response of 10 MB", "stream, chunk by chunk", "HEAD", "204 and 304",
		"client leaves a silent request", "client leaves within the response",
		"many requests, 64 at once",
	} {
		runScenario(t, s, name)
	}
	chunked := s.request(t, http.MethodPost, "do=digest", noise(1000))
	chunked.ContentLength = -1
	wantStatus(t, s.do(t, chunked), 411)
}

// lighttpdRealIP believes a load balancer, and nobody else, whom it speaks for.
func lighttpdRealIP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := lighttpd.run(t, p, "realip.conf", "")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.7, 127.0.0.1")
	wantParams(t, params(t, s.do(t, req)), map[string]string{"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": "0"})
}

// lighttpdPrefix splits paths, as StripScriptName needs it.
func lighttpdPrefix(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := lighttpd.run(t, p, "prefix.conf", "")
	for raw, info := range map[string]string{
		"/app/":       "/",
		"/app/a/b":    "/a/b",
		"/app/app/c":  "/app/c",
		"/app//d":     "/d",
		"/app/%C3%BC": "/ü",
	} {
		got := params(t, s.sendRaw(t, "GET "+raw+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		wantParams(t, got, map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": info, "REQUEST_URI": raw})
	}
	s.path = "/application"
	wantStatus(t, s.get(t, ""), 404)
	s.path = "/app"
	wantParams(t, params(t, s.get(t, "")), map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": ""})

	p = newPlace(t)
	path := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(fastcgi.StripScriptName(path))}, "unix:"+p.socket)
	s = lighttpd.run(t, p, "prefix.conf", "")
	for mounted, own := range map[string]string{"/app": "/", "/app/": "/", "/app/a%2Fb": "/a/b"} {
		s.path = mounted
		s.get(t, "").want(t, 200, own)
	}
}

// lighttpdAuthorizer has one application decide, without the body, and then answer.
func lighttpdAuthorizer(t *testing.T, _ string) {
	p := newPlace(t)
	asked := make(chan string, 1)
	serve(t, &fastcgi.Server{
		Authorizer: fastcgi.AuthorizerFunc(func(r *fastcgi.Request) fastcgi.Decision {
			body, err := io.ReadAll(r)
			asked <- fmt.Sprintf("%s %q %q %v", r.Params.Get("REQUEST_URI"), r.Params.Get("CONTENT_LENGTH"), body, err)
			if r.Params.Get("HTTP_X_TOKEN") != "let-me-in" {
				return fastcgi.Deny(403, "text/plain", "denied\n")
			}
			return fastcgi.Allow(fastcgi.Pair{Name: "AUTH_USER", Value: "joe"})
		}),
		Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %q %v", fastcgi.FromContext(r.Context()).Params.Get("AUTH_USER"), r.URL, body, err)
		})),
	}, "unix:"+p.socket)
	s := lighttpd.run(t, p, "authorizer.conf", "")
	s.path = "/some/path"
	for token, want := range map[string]answer{
		"wrong":     {&http.Response{StatusCode: 403}, "denied\n"},
		"let-me-in": {&http.Response{StatusCode: 200}, `joe /some/path?a=b "body" <nil>`},
	} {
		req := s.request(t, http.MethodPost, "a=b", strings.NewReader("body"))
		req.Header.Set("X-Token", token)
		s.do(t, req).want(t, want.StatusCode, want.body)
		if question := <-asked; question != `/some/path?a=b "" "" <nil>` {
			t.Errorf("the authorizer is asked for %s", question)
		}
	}
}

// lighttpdFiles has lighttpd send a file in the place of the answer, and no other than it may.
func lighttpdFiles(t *testing.T, _ string) {
	p := newPlace(t)
	if err := os.Mkdir(p.path("files"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write(t, "files/a.txt", "0123456789")
	p.write(t, "outside.txt", "secret")
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Sendfile", p.path(r.URL.RawQuery))
	}))}, "unix:"+p.socket)
	s := lighttpd.run(t, p, "files.conf", "")
	s.get(t, "files/a.txt").want(t, 200, "0123456789")
	req := s.request(t, http.MethodGet, "files/a.txt", nil)
	req.Header.Set("Range", "bytes=2-4")
	s.do(t, req).want(t, 206, "234")
	wantStatus(t, s.get(t, "files/none.txt"), 404)
	for _, outside := range []string{"outside.txt", "files/../outside.txt"} {
		wantStatus(t, s.get(t, outside), 403)
	}
	const log = "not under configured x-sendfile-docroot(s)"
	wantExplained(t, lighttpd, log)
	s.wantLog(t, log)
}

func lighttpdTCP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "sync")
	s := lighttpd.run(t, p, "tcp.conf", "")
	s.requestBuffering, s.responseBuffering = true, true
	for _, name := range []string{
		"parameters", "upload of 100 MB", "upload that is not read", "response of 10 MB", "many requests, 64 at once",
	} {
		runScenario(t, s, name)
	}
}

// restartsUnits does with the printed units what systemd does: it makes the socket, runs the program with it, and runs it
// again. Requests wait meanwhile, so a restart loses none (F9), not even a POST, where connections are not kept.
func restartsUnits(t *testing.T, w *webServer, probe string) {
	p := newPlace(t)
	units := p.fill(printed(t, w.name, "app.socket") + printed(t, w.name, "app.service"))
	socket := openSocket(t, "unix:"+setting(t, units, "ListenStream"))
	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", probe, 1)
	app := startActivated(t, syscall.SIGTERM, command, socket)
	load := w.run(t, p, "production.conf", "").keepAsking(t, http.MethodPost)
	defer load.stop()
	for range restarts {
		load.awaitSome(t)
		app.stop(t, syscall.SIGTERM)
		app = startActivated(t, syscall.SIGTERM, command, socket)
	}
	load.awaitSome(t)
}
