package interop_test

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// apacheUnits does with the printed units what systemd does: it makes the socket, runs the program with it, and runs it
// again. Requests wait meanwhile, so a restart loses none (F9).
func apacheUnits(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	units := p.fill(printed(t, "apache", "app.socket") + printed(t, "apache", "app.service"))
	l, err := net.Listen("unix", setting(t, units, "ListenStream"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", probe, 1)
	app := startActivated(t, syscall.SIGTERM, command, socket)
	load := apache.run(t, p, "production.conf", apacheLoad).keepAsking(t, http.MethodPost)
	defer load.stop()
	for range restarts {
		load.awaitSome(t)
		app.stop(t, syscall.SIGTERM)
		app = startActivated(t, syscall.SIGTERM, command, socket)
	}
	load.awaitSome(t)
}
