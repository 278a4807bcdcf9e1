package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// fcgiwrap starts CGI programs for web servers that know FastCGI only.
var fcgiwrap = &webServer{program: "fcgiwrap", debian: "fcgiwrap"}

// nginxWrapping returns nginx with fcgiwrap behind it.
func nginxWrapping() *webServer {
	w := *nginx
	w.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		makeEmpty(t, p.path("bin"))
		p.change(t, filepath.Base(site), "/usr/local/bin", p.path("bin"), "/run/fcgiwrap.socket", p.socket)
		// With -f, as in Debian's unit. It knows no end but a signal's.
		wrap := start(t, os.Kill, exec.Command(fcgiwrap.find(t), "-f", "-s", "unix:"+p.socket))
		wrap.awaitListening(t, "unix:"+p.socket)
		return nginx.command(t, program, p, site, around)
	}
	return &w
}

// nginxCGI has fcgiwrap start the program as plain CGI.
func nginxCGI(t *testing.T, probe string) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			w := nginxWrapping().startingApplication(probe, "-mode", mode)
			s := w.run(t, newPlace(t), "cgi.conf", "client_max_body_size 1g;")
			for _, name := range cgiScenarios {
				runScenario(t, s, name)
			}
		})
	}
}
