package interop_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

var caddy = &webServer{
	name:        "caddy",
	title:       "Caddy",
	program:     "caddy",
	debian:      "caddy",
	stop:        syscall.SIGTERM,
	versionArgs: []string{"version"},
	command:     caddyCommand,
	reload:      caddyReload,
	limits: []limit{
		{
			scenario: "underscores in headers", when: (*site).unguarded,
			reason: "takes X_Once for X-Once, unless told to remove it",
		},
		{
			scenario: "echo of 4 MB", sometimes: true,
			reason: "sends all of the body before it reads any of the answer, beyond what sockets hold",
		},
		{
			scenario: "conversation",
			reason:   "sends all of the body before it reads any of the answer",
		},
		{
			scenario: "stream, chunk by chunk", when: (*site).buffersResponses,
			reason: "collects pieces of the answer, unless told to flush",
		},
		{
			scenario: "client leaves a silent request",
			reason:   "does not look for a client's leaving while it waits for the application",
		},
		{
			scenario: "local redirect",
			reason:   "sends a local Location to the client, with status 200",
		},
		{
			scenario: "stderr",
			reason:   "drops what comes on FCGI_STDERR",
		},
		{
			scenario: "web server reloads under load", sometimes: true,
			reason: "cuts off connections when it reloads",
		},
	},
}

// unguarded picks the configuration that removes no headers.
func (s *site) unguarded() bool { return s.responseBuffering }

// caddyConf is what is around a printed configuration: options that have everything in the folder of the test. The ports
// are what configurations mean that name none.
const caddyConf = `{
	admin unix/%[1]s/admin.sock
	default_bind 127.0.0.1
	http_port %[2]s
	https_port %[3]s
	storage file_system %[1]s/storage
	skip_install_trust
	local_certs
	grace_period 100ms
	log {
		output file %[1]s/error.log
	}
	%[4]s
}
import %[5]s
`

func caddyCommand(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
	t.Helper()
	_, http, _ := net.SplitHostPort(p.http)
	_, https, _ := net.SplitHostPort(p.https)
	conf := p.write(t, "Caddyfile", fmt.Sprintf(caddyConf, p.dir, http, https, around, site))
	cmd := exec.Command(program, "run", "--config", conf)
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	return cmd
}

// caddyReload is what Debian's unit does on systemctl reload.
func caddyReload(t testing.TB, s *site) {
	t.Helper()
	reload := exec.Command(s.process.cmd.Path, "reload", "--force",
		"--config", s.place.path("Caddyfile"), "--address", "unix/"+s.place.path("admin.sock"))
	reload.Env = s.process.cmd.Env
	if out, err := reload.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", reload, err, out)
	}
}

func TestCaddy(t *testing.T) {
	caddy.matrix(t,
		setup{name: "Unix socket", site: func(t *testing.T, p *place, app application) *site {
			restart := app.listen(t, "unix:"+p.socket)
			s := caddy.run(t, p, "minimal.Caddyfile", "")
			s.restart, s.responseBuffering = restart, true
			return s
		}},
		setup{name: "TCP, flushing", site: func(t *testing.T, p *place, app application) *site {
			restart := app.listen(t, "tcp:"+p.tcp)
			s := caddy.run(t, p, "tcp.Caddyfile", "")
			s.restart = restart
			return s
		}},
	)
}
