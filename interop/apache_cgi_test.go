package interop_test

import (
	"net/http"
	"os/exec"
	"testing"
)

// cgiScenarios are those that plain CGI programs can be put through, a process for each request.
var cgiScenarios = []string{
	"parameters", "paths", "%0A in a path", "headers", "repeated headers", "underscores in headers", "methods", "form",
	"upload of unknown length", "upload that is not read", "stream", "204 and 304", "errors", "panic before the answer",
	"panic within the answer", "appStatus", "redirect", "stderr",
}

// apacheCGI has Apache start the same program as plain CGI, with either of its modules for that.
func apacheCGI(t *testing.T, probe string) {
	t.Parallel()
	for i, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := apache
			if i%2 > 0 {
				w = apacheForking()
			}
			s := w.startingApplication(probe, "-mode", mode).run(t, newPlace(t), "cgi.conf", "")
			for _, name := range cgiScenarios {
				runScenario(t, s, name)
			}
			followsLocalRedirects(t, s, mode)
		})
	}
}

// awaitPrograms waits until Apache can start programs: mod_cgid's daemon may come after the first connection, with a 503 until
// then.
func awaitPrograms(t *testing.T, s *site, config string) {
	t.Helper()
	if config != "cgi.conf" {
		return
	}
	eventually(t, "Apache starts programs", func() bool {
		a, err := s.try(s.request(t, http.MethodGet, "do=ignore", nil))
		return err == nil && a.StatusCode != http.StatusServiceUnavailable
	})
}

// apacheForking returns Apache with a process for each connection, and mod_cgi instead of mod_cgid.
func apacheForking() *webServer {
	w := *apache
	w.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		a := setUpApache(t, p, site, around)
		a.run(t, "a2dismod", "-f", "mpm_event", "cgid")
		a.run(t, "a2enmod", "mpm_prefork", "cgi")
		return a.foreground(program)
	}
	return &w
}
