package interop_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// partVariable has this program play one of parts in place of its tests.
const partVariable = "FASTCGI_INTEROP_PART"

// parts are applications that do what the probe has no task for, for web servers to start.
var parts = map[string]fastcgi.HandlerFunc{
	"prints":  prints,
	"locates": locates,
}

// startingPart returns the web server with one of parts as the program that it finds in /usr/local/bin/app.
func (w *webServer) startingPart(part string) *webServer {
	starting := *w
	starting.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		cmd := w.command(t, program, p, site, around)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		writeScript(t, p.path("bin/app"), "export "+partVariable+"="+part+"\nexec "+p.borrow(t, self))
		return cmd
	}
	return &starting
}
