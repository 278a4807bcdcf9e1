package interop_test

import (
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// nginxSeveral has one of two applications die while clients ask, and the other one drain. They notice neither.
func nginxSeveral(t *testing.T, probe string) {
	p := newPlace(t)
	dies := start(t, os.Kill, exec.Command(probe, "-listen", "unix:"+p.socket))
	dies.awaitListening(t, "unix:"+p.socket)
	drains := startProbe(t, probe, "tcp:"+p.tcp)
	s := nginx.run(t, p, "several.conf", "")
	load := s.keepAsking(t, http.MethodGet)
	defer load.stop()
	load.awaitSome(t)
	dies.stop(t, os.Kill)
	load.awaitSome(t)
	if err := os.Remove(p.socket); err != nil {
		t.Fatal(err)
	}
	startProbe(t, probe, "unix:"+p.socket)
	// nginx would leave it alone for 10 s, but for new workers.
	s.server.reload(t, s)
	load.awaitSome(t)
	drains.stop(t, syscall.SIGTERM)
	load.awaitSome(t)
}
