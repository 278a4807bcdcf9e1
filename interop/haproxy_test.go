//go:build unix

package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

var haproxy = &webServer{
	name:    "haproxy",
	title:   "HAProxy",
	program: "haproxy",
	debian:  "haproxy",
	stop:    os.Kill, // its master ends with status 143 on SIGTERM, and its workers when the master is gone
	command: haproxyCommand,
	reload:  haproxyReload,
	limits: []limit{
		{
			scenario: "upload of unknown length",
			reason:   "wants to know the length before it asks the application: bodies that do not say it must fit into 16 KiB",
		},
		{
			scenario: "conversation",
			reason:   "wants to know the length before it asks the application: bodies that do not say it must fit into 16 KiB",
		},
		{
			// net/http/fcgi reads the rest before it ends a request, as all but async handlers do here.
			scenario: "upload that is not read", sometimes: true,
			reason: "keeps its client waiting if a request is ended before its body is; all but async handlers have the rest read first",
		},
		{
			scenario: "local redirect",
			reason:   "sends a local Location to the client, as 302",
		},
		{
			scenario: "client leaves a silent request", when: (*site).keepsConnections, sometimes: true,
			reason: "lets a request go on whose client has left, on a connection that is kept",
		},
		{
			scenario: "web server reloads under load", sometimes: true,
			reason: "loses requests when it reloads: its workers sometimes crash then",
		},
	},
}

func (s *site) keepsConnections() bool { return s.keepAlive }

// haproxyConf is what is around a printed configuration: Debian's global and defaults sections, but for what leads out of
// the folder of the test.
const haproxyConf = `global
	log stderr format raw daemon
	hard-stop-after 5s
	nbthread 2
defaults
	log global
	mode http
	option httplog
	option dontlognull
	timeout connect 5000
	timeout client 50000
	timeout server 50000
	%[1]s
`

// haproxyCommand runs HAProxy with its master, as Debian's unit does, so that it can be reloaded.
func haproxyCommand(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
	t.Helper()
	conf := p.write(t, "haproxy.cfg", fmt.Sprintf(haproxyConf, around))
	return exec.Command("/bin/sh", "-c", `exec "$0" -W -db -f "$1" -f "$2" 2>"$3"`, program, conf, site, p.path("error.log"))
}

func haproxyReload(t testing.TB, s *site) {
	t.Helper()
	if err := s.process.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Error(err)
	}
}

func TestHAProxy(t *testing.T) {
	run := func(config string, keepAlive bool) func(*testing.T, *place, application) *site {
		return func(t *testing.T, p *place, app application) *site {
			addr := "tcp:" + p.tcp
			if config == "production.cfg" {
				addr = "unix:" + p.socket
			}
			restart := app.listen(t, addr)
			s := haproxy.run(t, p, config, "")
			s.restart, s.keepAlive = restart, keepAlive
			return s
		}
	}
	haproxy.matrix(t,
		setup{name: "keep-alive", site: run("minimal.cfg", true)},
		setup{name: "keep-alive, retrying", site: run("production.cfg", true)},
		setup{name: "no keep-alive", site: run("close.cfg", false)},
	)
}
