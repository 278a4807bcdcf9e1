package interop_test

import (
	"bufio"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// apachePrinted has the tests of the files in docs/apache, each of what the file is printed for. They run side by side,
// because Apache takes its time to end.
var apachePrinted = []printedTest{
	{[]string{"minimal.conf"}, apacheMinimal},
	{[]string{"production.conf"}, apacheProduction},
	{[]string{"tls.conf"}, apacheTLS},
	{[]string{"realip.conf"}, apacheRealIP},
	{[]string{"prefix.conf"}, apachePrefix},
	{[]string{"files.conf"}, apacheFiles},
	{[]string{"sendfile.conf"}, apacheSendfile},
	{[]string{"tcp.conf"}, apacheTCP},
	{[]string{"authorizer.conf"}, apacheAuthorizer},
	{[]string{"passwords.conf"}, apachePasswords},
	{[]string{"fcgid.conf"}, apacheFcgid},
	{[]string{"fcgid-production.conf"}, apacheFcgidProduction},
	{[]string{"fcgid-authorizer.conf"}, apacheFcgidAuthorizer},
	{[]string{"htaccess"}, apacheHtaccess},
	{[]string{"cgi.conf"}, apacheCGI},
	{[]string{"app.service", "app.socket"}, apacheUnits},
}

func TestApachePrinted(t *testing.T) { apache.testPrinted(t, apachePrinted) }

// apacheMinimal finds what the page says of the parameters, and that Debian's own site is still there.
func apacheMinimal(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := apache.run(t, p, "minimal.conf", "")
	req := s.request(t, http.MethodGet, "a=b", nil)
	req.Header.Set("Authorization", "Bearer token")
	wantParams(t, params(t, s.do(t, req)), map[string]string{
		"HTTP_HOST":          s.addr,
		"HTTP_AUTHORIZATION": "",
		"SCRIPT_FILENAME":    "proxy:fcgi://app/",
		"SCRIPT_NAME":        "/",
		"PATH_INFO":          "",
	})
	chunked := params(t, s.do(t, s.request(t, http.MethodPost, "", noise(1_000_000))))
	wantParams(t, chunked, map[string]string{"CONTENT_LENGTH": ""})
	p.write(t, "www/static.txt", "static\n")
	s.addr, s.path = apacheListen.FindStringSubmatch(p.read(t, "etc/ports.conf"))[1], "/static.txt"
	s.get(t, "").want(t, 200, "static\n")
}

// apacheListen finds where Debian's own site listens.
var apacheListen = regexp.MustCompile(`(?m)^Listen (.*)$`)

// apacheProduction has more pass than Apache does by itself: credentials, and what is flushed.
func apacheProduction(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	flushed := make(chan struct{})
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		_ = fastcgi.SendResponse(w, 200, "text/plain", r.Params.Get("HTTP_AUTHORIZATION")+"\n")
		_ = w.Flush()
		<-flushed
	})(t, p)
	s := apache.run(t, p, "production.conf", "")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("Authorization", "Bearer token")
	resp := s.begin(t, req)
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "Bearer token\n" {
		t.Errorf("the first line is %q, %v", line, err)
	}
	close(flushed)
}

// apacheTLS speaks HTTP/2 over TLS with Apache.
func apacheTLS(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	writeCertificate(t, p)
	s := apache.run(t, p, "tls.conf", apacheLoad)
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"HTTPS":           "on",
		"REQUEST_SCHEME":  "https",
		"SERVER_PROTOCOL": "HTTP/2.0",
		"SSL_PROTOCOL":    "TLSv1.3",
		"SSL_TLS_SNI":     "app.example.com",
	})
	for _, name := range []string{
		"upload of unknown length", "stream", "204 and 304", "client leaves within the response",
		"many requests, 64 at once",
	} {
		runScenario(t, s, name)
	}
}

// apacheRealIP believes a load balancer, and nobody else, whom it speaks for.
func apacheRealIP(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := apache.run(t, p, "realip.conf", "")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Forwarded-For", "198.51.100.66, 203.0.113.7, 127.0.0.1")
	wantParams(t, params(t, s.do(t, req)), map[string]string{"REMOTE_ADDR": "203.0.113.7"})
}

// apachePrefix splits paths, odd ones as well.
func apachePrefix(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := apache.run(t, p, "prefix.conf", "")
	for raw, info := range map[string]string{
		"/app/":                  "/",
		"/app/a/b":               "/a/b",
		"/app/app/c":             "/app/c",
		"/app//d":                "/d",
		"/app/x.php/y":           "/x.php/y",
		"/app/line%0Abreak/e%0A": "/line\nbreak/e\n",
		"/app/%C3%BC%20f":        "/ü f",
	} {
		got := params(t, s.sendRaw(t, "GET "+raw+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		wantParams(t, got, map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": info, "REQUEST_URI": raw})
	}
}

// apacheFiles leaves to Apache what is a file.
func apacheFiles(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	w := apache.withLimits(withoutDirectives...).withLimits(
		limit{scenario: "paths", reason: "refuses %3F in a path"},
		limit{scenario: "%0A in a path", reason: "refuses control characters in a path"},
	)
	s := w.withApplication(t, p, application{program: probe}, "files.conf", "unix:"+p.socket, apacheLoad)
	p.write(t, "www/static.txt", "static\n")
	s.path = "/static.txt"
	s.get(t, "").want(t, 200, "static\n")
	s.path = "/a/b"
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"REQUEST_URI": "/a/b?", "SCRIPT_NAME": "/a", "PATH_INFO": "/b",
	})
	s.path = "/"
	runScenarios(t, s)
	for _, path := range []string{"/line%0Abreak", "/what%3Fnot"} {
		wantStatus(t, s.sendRaw(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 403)
	}
}

// apacheSendfile has Apache send a file that the application may only name.
func apacheSendfile(t *testing.T, _ string) {
	t.Parallel()
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		file := fastcgi.Pair{Name: "X-Sendfile", Value: r.Params.Get("QUERY_STRING")}
		_ = fastcgi.SendResponse(w, 200, "text/plain", nil, file)
	})(t, p)
	s := apache.run(t, p, "sendfile.conf", "")
	a := s.get(t, p.write(t, "files/large", strings.Repeat("0123456789", 100_000)))
	a.want(t, 200, strings.Repeat("0123456789", 100_000))
	if a.ContentLength != 1_000_000 || a.Header.Get("X-Sendfile") != "" {
		t.Errorf("Content-Length %d, X-Sendfile %q", a.ContentLength, a.Header.Get("X-Sendfile"))
	}
	// Part of it, without the application's doing.
	req := s.request(t, http.MethodGet, p.path("files/large"), nil)
	req.Header.Set("Range", "bytes=10-14")
	s.do(t, req).want(t, 206, "01234")
	wantStatus(t, s.get(t, "/etc/passwd"), 404)
}

// apacheTCP keeps one connection for requests that come one by one on a client's connection.
func apacheTCP(t *testing.T, _ string) {
	t.Parallel()
	p := newPlace(t)
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(http.NotFoundHandler())}
	serve(t, srv, "tcp:"+p.tcp)
	s := apache.run(t, p, "tcp.conf", "")
	for range 50 {
		wantStatus(t, s.get(t, ""), 404)
	}
	if conns := srv.Stats().Conns; conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
}
