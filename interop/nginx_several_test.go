package interop_test

import (
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// nginxSeveral has one of two applications die while clients ask, or drain. They do not notice.
func nginxSeveral(t *testing.T, probe string) {
	for name, stop := range map[string]os.Signal{"dies": os.Kill, "drains": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			startProbe(t, probe, "unix:"+p.socket)
			other := start(t, stop, exec.Command(probe, "-listen", "tcp:"+p.tcp))
			other.awaitListening(t, "tcp:"+p.tcp)
			load := nginx.run(t, p, "several.conf", "").keepAsking(t, http.MethodGet)
			defer load.stop()
			load.awaitSome(t)
			other.stop(t, stop)
			load.awaitSome(t)
		})
	}
}
