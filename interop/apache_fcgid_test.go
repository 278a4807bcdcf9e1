package interop_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fcgidScenarios are those that an application behind mod_fcgid can be put through. Whoever asks about other requests
// may be asking another process, so there are none in which clients leave; and nothing restarts it under load.
var fcgidScenarios = []string{
	"parameters", "paths", "%FF in a path", "%0A in a path", "two slashes in a path", "headers", "repeated headers",
	"underscores in headers", "methods", "form", "upload of unknown length", "upload that is not read",
	"stream", "204 and 304", "errors", "panic before the answer", "panic within the answer", "appStatus", "redirect",
	"stderr",
}

// apacheFcgid has Apache start the application, in all modes.
func apacheFcgid(t *testing.T, probe string) {
	t.Parallel()
	for i, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			driver := drivers()[i%len(drivers())]
			w := apache.startingApplication(probe, "-mode", mode, "-driver", driver)
			s := w.run(t, p, "fcgid.conf", "FcgidMaxRequestLen 1073741824")
			for _, name := range fcgidScenarios {
				runScenario(t, s, name)
			}
			followsLocalRedirects(t, s, mode)
		})
	}
}

// followsLocalRedirects fails the test unless the web server does (RFC 3875 §6.2.2). What an http.Handler sends is not
// one, but always the client's.
func followsLocalRedirects(t *testing.T, s *site, mode string) {
	t.Helper()
	if mode != "http" {
		runScenario(t, s, "local redirect")
		return
	}
	a := s.get(t, "do=redirect&to=/elsewhere")
	if a.StatusCode != 302 || a.Header.Get("Location") != "/elsewhere" {
		t.Errorf("status %d, Location %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// startingApplication returns the web server with an application that it finds in /usr/local/bin/app.
func (w *webServer) startingApplication(probe string, args ...string) *webServer {
	starting := *w
	starting.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		cmd := w.command(t, program, p, site, around)
		writeScript(t, p.path("bin/app"), "exec "+p.borrow(t, probe)+" "+strings.Join(args, " "))
		return cmd
	}
	return &starting
}

// borrow copies a program to where Apache's user may run it, and returns the path.
func (p *place) borrow(t *testing.T, program string) string {
	t.Helper()
	path := p.path(filepath.Base(program))
	if err := os.WriteFile(path, []byte(readFile(t, program)), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeScript writes a program that Apache starts. That sets an environment of its own, without what start says to the
// race detector.
func writeScript(t *testing.T, path, command string) {
	t.Helper()
	script := "#!/bin/sh\nexport GORACE=atexit_sleep_ms=50\n" + command + "\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// apacheFcgidProduction goes through what its directives are for.
func apacheFcgidProduction(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	w := *apache
	w.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		p.change(t, filepath.Base(site), "/usr/local/bin/app -config /etc/app.conf", p.borrow(t, probe)+" -mode sync")
		return apacheCommand(t, program, p, site, around)
	}
	s := w.run(t, p, "fcgid-production.conf", "")
	writeScript(t, p.path("bin/app"), "exit 1 # not asked")
	for _, name := range append(fcgidScenarios, "%2F in a path", "response of 10 MB", "HEAD") {
		runScenario(t, s, name)
	}
	chunks := bufio.NewReader(s.begin(t, s.request(t, http.MethodGet, fmt.Sprintf("do=stream&n=2&ms=%d", hour), nil)).Body)
	if line, err := chunks.ReadString('\n'); line != "chunk 0\n" {
		t.Errorf("the first chunk is %q, %v", line, err)
	}
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("Authorization", "Bearer token")
	wantParams(t, params(t, s.do(t, req)), map[string]string{"HTTP_AUTHORIZATION": "Bearer token"})
}

// A process of mod_fcgid's has one request at a time. At the end it gets SIGTERM, and time to exit by itself.
func TestApacheFcgidProcesses(t *testing.T) {
	t.Parallel()
	apache.find(t)
	probe := buildProbe(t)
	p := newPlace(t)
	w := *apache
	w.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		cmd := apacheCommand(t, program, p, site, around)
		writeScript(t, p.path("bin/app"), fmt.Sprintf(lifeOfProcess, p.borrow(t, probe), p.path("run/lives")))
		return cmd
	}
	s := w.run(t, p, "fcgid.conf", "")
	// The processes are Apache's user, too.
	if err := os.Chmod(p.path("run"), 0o777); err != nil {
		t.Fatal(err)
	}
	const atOnce = 3
	var answers []*http.Response
	for range atOnce {
		answers = append(answers, s.begin(t, s.request(t, http.MethodGet, "do=bytes&n=20000000", nil)))
	}
	for _, a := range answers {
		wantPattern(t, a.Body, 20_000_000)
	}
	s.process.stop(t, w.stop)
	eventually(t, "all processes have ended", func() bool {
		return strings.Count(p.read(t, "run/lives"), "\n") == 2*atOnce
	})
	lives := p.read(t, "run/lives")
	if strings.Count(lives, "begins") != atOnce || strings.Count(lives, "ends with 0") != atOnce {
		t.Errorf("the processes' lives:\n%s", lives)
	}
}

// lifeOfProcess runs a program and writes down how it went. A shell does not pass a signal on by itself.
const lifeOfProcess = `
echo begins >>%[2]s
trap 'kill -TERM $app' TERM
exec 3<&0
%[1]s <&3 3<&- & app=$!
wait $app # until the signal
wait $app
echo "ends with $?" >>%[2]s`

// apacheFcgidAuthorizer protects files with an Authorizer that Apache starts.
func apacheFcgidAuthorizer(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	s := apache.startingApplication(probe).run(t, p, "fcgid-authorizer.conf", "")
	p.write(t, "www/static.txt", "static\n")
	s.path = "/static.txt"
	wantStatus(t, s.get(t, ""), 401)
	allowed := s.do(t, withToken(s.request(t, http.MethodGet, "", nil)))
	allowed.want(t, 200, "static\n")
	if got := allowed.Header.Get("Variable-AUTH_USER"); got != "probe" {
		t.Errorf("the client is told %q: the page has to say what of the Authorizer's variables it sees", got)
	}
}
