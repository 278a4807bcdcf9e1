package interop_test

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// nginxActivation does with the printed units what systemd does: it makes the socket, runs the program with it, and
// runs it again. Requests wait meanwhile, so a restart loses none (F9), not even a POST, which nginx does not repeat.
func nginxActivation(t *testing.T, probe string) {
	for _, config := range []string{"minimal.conf", "production.conf"} {
		t.Run(config, func(t *testing.T) { restartUnits(t, probe, config) })
	}
}

func restartUnits(t *testing.T, probe, config string) {
	p := newPlace(t)
	units := p.fill(printed(t, "nginx", "app.socket") + printed(t, "nginx", "app.service"))
	l, err := net.Listen("unix", setting(t, units, "ListenStream"))
	if err != nil {
		t.Fatal(err)
	}
	socket, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	defer l.Close()

	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", probe, 1)
	app := startActivated(t, syscall.SIGTERM, command, socket)
	s := nginx.run(t, p, config, "")
	load := s.keepAsking(t, http.MethodPost)
	defer load.stop()
	for range 5 {
		load.awaitSome(t)
		app.stop(t, syscall.SIGTERM)
		app = startActivated(t, syscall.SIGTERM, command, socket)
	}
	load.awaitSome(t)
}

// setting returns the value of a unit's setting.
func setting(t *testing.T, units, name string) string {
	t.Helper()
	for line := range strings.Lines(units) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("the units have no %s", name)
	return ""
}
