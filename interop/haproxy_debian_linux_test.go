package interop_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The page's files, appended to Debian's haproxy.cfg, and Debian's unit: with its user, its chroot and its log.
func TestHAProxyDebian(t *testing.T) {
	t.Parallel()
	haproxy.find(t)
	probe := buildProbe(t)
	for file, run := range map[string]func(t *testing.T, h *host){
		"minimal.cfg": func(t *testing.T, h *host) {
			app := start(t, syscall.SIGTERM, h.command(probe, "-listen", "tcp:127.0.0.1:9000"))
			h.awaitPort(t, app, "9000")
		},
		"production.cfg": func(t *testing.T, h *host) { h.activate(t, "haproxy", probe) },
	} {
		t.Run(file, func(t *testing.T) {
			p, h := newPlace(t), newHost(t)
			h.clear(t, "/run", "root")
			h.clear(t, "/run/haproxy", "haproxy")
			h.clear(t, "/var/lib/haproxy", "root")
			stock := readFile(t, "/etc/haproxy/haproxy.cfg")
			h.install(t, p.write(t, "haproxy.cfg", stock+"\n"+printed(t, "haproxy", file)), "/etc/haproxy/haproxy.cfg")
			run(t, h)
			log := receiveLog(t, h.root+"/var/lib/haproxy/dev/log")
			server := start(t, os.Kill, h.command(haproxyService(t)...))
			h.awaitPort(t, server, "8080")
			s := h.site(t, haproxy, "app.example.com", "8080", "")
			wantParams(t, params(t, s.get(t, "")), map[string]string{"REMOTE_ADDR": "127.0.0.1", "SCRIPT_NAME": "/"})
			s.get(t, "do=stderr&text=in+trouble").want(t, 200, "ok\n")
			for _, text := range []string{"app", ": in trouble", `"GET /?do=stderr&text=in+trouble HTTP/1.1"`} {
				eventually(t, "the log says "+text, func() bool { return strings.Contains(log.String(), text) })
			}
		})
	}
}

// haproxyService returns Debian's command, with what its unit sets for it.
func haproxyService(t *testing.T) []string {
	t.Helper()
	command, _ := unitCommand(t, "haproxy.service") // root's, until HAProxy itself becomes another user
	unit := readFile(t, "/lib/systemd/system/haproxy.service")
	settings := make(map[string]string)
	for _, quoted := range strings.Split(setting(t, unit, "Environment"), `"`) {
		name, value, _ := strings.Cut(quoted, "=")
		settings[name] = value
	}
	return strings.Fields(os.Expand(strings.Join(command, " "), func(name string) string { return settings[name] }))
}

// receiveLog is the system's log: it collects what arrives on its socket until the end of the test.
func receiveLog(t *testing.T, path string) *output {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	log, done := new(output), make(chan struct{})
	go func() {
		defer close(done)
		line := make([]byte, 1<<16)
		for {
			n, err := socket.Read(line)
			if err != nil {
				return
			}
			_, _ = log.Write(append(line[:n], '\n'))
		}
	}()
	t.Cleanup(func() {
		socket.Close()
		<-done
	})
	return log
}
