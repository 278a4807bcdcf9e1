package interop_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// A webServer is one that applications are tested behind, and what scenarios have to know of it.
type webServer struct {
	name    string    // as in docs: the page is name.md, its configurations are in name/
	title   string    // its column in the matrix; empty is name
	program string    // what runs it
	debian  string    // the package that has the program
	stop    os.Signal // makes it end with status 0

	// versionArgs have the program print its version; nil is -v.
	versionArgs []string

	// command prepares the web server for a place and returns what runs it in the foreground. It has to serve
	// site, a configuration as printed, with around, in its own terms, being true of everything; and to log to
	// error.log.
	command func(t *testing.T, program string, p *place, site, around string) *exec.Cmd

	// settle waits, once it listens with one of its configurations, for what comes later; nil: nothing does.
	settle func(t *testing.T, s *site, config string)

	// reload has it read its configuration again while it serves: reloadOn(signal), or a command.
	reload func(t testing.TB, s *site)

	// limits are the scenarios that it cannot do, whatever the application.
	limits []limit
}

// versionNumber is what is looked for in what a program says about its version.
var versionNumber = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// version returns the web server's version.
func (w *webServer) version(t *testing.T) string {
	t.Helper()
	args := w.versionArgs
	if args == nil {
		args = []string{"-v"}
	}
	out, err := exec.Command(w.find(t), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", w.program, args, err, out)
	}
	return versionNumber.FindString(string(out))
}

// find returns the path of the web server's program. Without one, the test ends here.
func (w *webServer) find(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(w.program)
	if errors.Is(err, exec.ErrNotFound) {
		// Debian has it where only root's PATH leads.
		path, err = exec.LookPath(filepath.Join("/usr/sbin", w.program))
	}
	switch {
	case err == nil:
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		required.Missing(t, "%s is not installed (Debian: %s)", w.program, w.debian)
	default:
		t.Fatal(err)
	}
	return path
}

// run serves a printed configuration at a place until the end of the test. The application is up to the caller; what
// runs when this is called runs longer than the web server.
func (w *webServer) run(t *testing.T, p *place, config, around string) *site {
	t.Helper()
	return w.runText(t, p, config, printed(t, w.name, config), around)
}

// runText is run for a configuration that is not printed: a name for its file, and the text.
func (w *webServer) runText(t *testing.T, p *place, config, text, around string) *site {
	t.Helper()
	program := w.find(t)
	file := p.write(t, config, p.fill(text))
	server := start(t, w.stop, w.command(t, program, p, file, around))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("error log of %s:\n%s", w.name, tail(p.read(t, "error.log")))
		}
	})
	s := newSite(t, w, p)
	s.process = server
	if strings.Contains(text, shownHTTPS) {
		s.useTLS()
	}
	server.awaitListening(t, s.addr)
	if w.settle != nil {
		w.settle(t, s, config)
	}
	return s
}

// printed returns a configuration as a page in docs prints it.
func printed(t *testing.T, server, config string) string {
	t.Helper()
	return readFile(t, filepath.Join("..", "docs", server, config))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tail returns the end of a log, where the reason of a failure is, without what nginx says of every connection.
func tail(log string) string {
	lines := slices.Collect(strings.Lines(log))
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, "closed keepalive connection") })
	return strings.Join(lines[max(0, len(lines)-20):], "")
}
