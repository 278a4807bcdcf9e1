//go:build linux

package interop_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// h2oPrinted has the tests of the files in docs/h2o, each of what the file is printed for.
var h2oPrinted = []printedTest{
	{[]string{"minimal.conf"}, h2oMinimal},
	{[]string{"production.conf"}, h2oProduction},
	{[]string{"keepalive.conf"}, h2oKeepsConnections},
	{[]string{"spawn.conf"}, h2oSpawn},
	{[]string{"tls.conf"}, h2oTLS},
	{[]string{"realip.conf"}, h2oRealIP},
	{[]string{"prefix.conf"}, h2oPrefix},
	{[]string{"tcp.conf"}, h2oTCP},
	{[]string{"app.service", "app.socket"}, func(t *testing.T, probe string) { restartsUnits(t, h2o, probe) }},
}

func TestH2OPrinted(t *testing.T) { h2o.testPrinted(t, h2oPrinted) }

func h2oMinimal(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := h2o.run(t, p, "minimal.conf", "")
	wantParams(t, params(t, s.get(t, "")), map[string]string{
		"HTTP_HOST": s.addr, "SCRIPT_NAME": "", "PATH_INFO": "/", "SERVER_NAME": "default", "GATEWAY_INTERFACE": "",
	})
	for _, name := range []string{"upload of 100 MB", "upload that is not read", "many requests, 64 at once"} {
		runScenario(t, s, name)
	}
}

func h2oProduction(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	s := h2o.run(t, p, "production.conf", "")
	wantParams(t, params(t, s.get(t, "")), map[string]string{"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_NAME": "app.example.com"})
	wantStatus(t, s.sendRaw(t, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1073741825\r\n\r\n"), 413)
	// A handler of net/http's sends no body that H2O would pass on.
	runScenario(t, s, "HEAD")
	t.Run("slow upload", func(t *testing.T) {
		p := newPlace(t)
		s := h2o.edited("http1-request-timeout: 600", "http1-request-timeout: 1").run(t, p, "production.conf", "")
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nslow")
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(c); err != nil || len(answer) > 0 {
			t.Errorf("answered %q, %v; want the connection closed", answer, err)
		}
	})
}

// h2oTLS speaks HTTP/2 over TLS with H2O, which notices there when a client leaves.
func h2oTLS(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "http")
	writeCertificate(t, p)
	s := h2o.run(t, p, "tls.conf", "")
	a := s.sendRaw(t, "GET /path?a=b HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n")
	if to := a.Header.Get("Location"); a.StatusCode != 301 || to != "https://app.example.com:8443/path?a=b" {
		t.Errorf("by HTTP: status %d, Location %q", a.StatusCode, to)
	}
	s.useTLS()
	wantParams(t, params(t, s.get(t, "")), map[string]string{"HTTPS": "on", "SERVER_PROTOCOL": "HTTP/2"})
	for _, name := range []string{
		"upload of unknown length", "response of 10 MB", "stream, chunk by chunk", "HEAD", "204 and 304",
		"client leaves a silent request", "client leaves within the response",
		"many requests, 64 at once",
	} {
		runScenario(t, s, name)
	}
}

// h2oRealIP is told by a load balancer whom it speaks for.
func h2oRealIP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := h2o.run(t, p, "realip.conf", "")
	a := s.sendRaw(t, "PROXY TCP4 203.0.113.7 192.0.2.1 50000 80\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	wantParams(t, params(t, a), map[string]string{"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": "50000"})
}

// h2oPrefix gets the whole path, whatever it is below.
func h2oPrefix(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "unix:"+p.socket, "-mode", "sync")
	s := h2o.run(t, p, "prefix.conf", "")
	for _, path := range []string{"/app", "/app/", "/app/a//b"} {
		s.path = path
		wantParams(t, params(t, s.get(t, "")), map[string]string{"SCRIPT_NAME": "", "PATH_INFO": path})
	}
	s.path = "/application"
	wantStatus(t, s.get(t, ""), 404)
}

func h2oTCP(t *testing.T, probe string) {
	p := newPlace(t)
	startProbe(t, probe, "tcp:"+p.tcp, "-mode", "sync")
	s := h2o.run(t, p, "tcp.conf", "")
	for _, name := range []string{"upload of 100 MB", "response of 10 MB", "many requests, 64 at once"} {
		runScenario(t, s, name)
	}
}

// h2oKeepsConnections counts connections: one does for requests that come one by one.
func h2oKeepsConnections(t *testing.T, _ string) {
	p := newPlace(t)
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(http.NotFoundHandler())}
	serve(t, srv, "unix:"+p.socket)
	s := h2o.run(t, p, "keepalive.conf", "")
	for range 20 {
		wantStatus(t, s.get(t, ""), 404)
		wantStatus(t, s.post(t, "", "body"), 404)
	}
	if conns := srv.Stats().Conns; conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

// h2oSpawn has H2O start the application, on fd 0, again when H2O reloads, and end it. What the application says is in
// the error log. When it dies it stays so.
func h2oSpawn(t *testing.T, probe string) {
	t.Run("run", func(t *testing.T) {
		p := newPlace(t)
		installApp(t, p, application{program: probe})
		s := h2o.run(t, p, "spawn.conf", "")
		for _, name := range []string{"upload of 100 MB", "upload that is not read", "stderr", "web server reloads under load"} {
			runScenario(t, s, name)
		}
		eventually(t, "only the last process runs", func() bool { return len(runningAnywhere(t, probe)) == 1 })
		s.get(t, "do=panic&when=before")
		s.wantLog(t, "runtime/debug.Stack")

		var pid int
		if _, err := fmt.Sscanf(runningAnywhere(t, probe)[0], "/proc/%d/exe", &pid); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the process ends", func() bool { return len(runningAnywhere(t, probe)) == 0 })
		wantStatus(t, s.get(t, ""), 503)
	})
	eventually(t, "no process runs", func() bool { return len(runningAnywhere(t, probe)) == 0 })
}

// runningAnywhere returns the processes that run a program.
func runningAnywhere(t testing.TB, program string) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(exe string) bool {
		// It fails if the process has ended meanwhile.
		path, err := os.Readlink(exe)
		return err != nil || path != program
	})
}
