package interop_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

var nginx = &webServer{
	name:    "nginx",
	program: "nginx",
	debian:  "nginx-light",
	stop:    syscall.SIGQUIT,
	command: nginxCommand(""),
	reload:  reloadOn(syscall.SIGHUP, "reconfiguring", "gracefully shutting down"),
	limits: []limit{
		{
			scenario: "echo of 4 MB",
			reason:   "stops sending the body once an answer has begun, beyond what sockets hold",
		},
		{
			scenario: "conversation", when: (*site).buffersAnything,
			reason: "collects the body before it asks the application, or the answer before it sends it",
		},
		{
			scenario: "stream, chunk by chunk", when: func(s *site) bool { return s.responseBuffering && !s.keepAlive },
			reason: "collects the answer, as it is told to",
		},
		{
			scenario: "client leaves within its upload", when: (*site).buffersRequests,
			reason: "collects the body first, so the application never hears of the request",
		},
		{
			scenario: "local redirect",
			reason:   "sends a local Location to the client, as 302; its own way is X-Accel-Redirect",
		},
	},
}

// nginxConf is what is around a printed configuration: a file of Debian's /etc/nginx/nginx.conf's kind, in which
// everything is in the folder of the test.
const nginxConf = `%[2]s
daemon off;
worker_processes %[5]d;
worker_shutdown_timeout 2s;
worker_rlimit_nofile 8192;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log info;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	fastcgi_temp_path %[1]s/fastcgi;
	proxy_temp_path %[1]s/proxy;
	scgi_temp_path %[1]s/scgi;
	uwsgi_temp_path %[1]s/uwsgi;
	%[3]s
	include %[4]s;
}
`

const nginxWorkers = 2

// nginxCommand is a webServer's command, with workers that are a user; none is who runs the test. Only root may choose.
func nginxCommand(user string) func(*testing.T, string, *place, string, string) *exec.Cmd {
	return func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		// Debian's own: it is what those who follow the page have.
		p.write(t, "fastcgi_params", readFile(t, "/etc/nginx/fastcgi_params"))
		be := ""
		if os.Geteuid() == 0 {
			be = "user " + cmp.Or(user, "root") + ";"
		}
		conf := p.write(t, "nginx.conf", fmt.Sprintf(nginxConf, p.dir, be, around, site, nginxWorkers))
		return exec.Command(program, "-e", p.path("error.log"), "-c", conf)
	}
}

func TestNginx(t *testing.T) {
	var setups []setup
	for _, keepAlive := range []bool{true, false} {
		for _, buffering := range []bool{true, false} {
			setups = append(setups, setup{
				name: fmt.Sprintf("keep-alive %s, buffering %s", onOff(keepAlive), onOff(buffering)),
				site: func(t *testing.T, p *place, app application) *site {
					restart := app.listen(t, "unix:"+p.socket)
					s := nginxSite(t, p, keepAlive, buffering)
					s.restart = restart
					return s
				},
			})
		}
	}
	nginx.matrix(t, setups...)
}

// nginxSite runs nginx with connections and buffers as asked. Connections are kept with the printed configuration that
// says so; buffering is set around it, where the configurations that do not mention it inherit it from.
func nginxSite(t *testing.T, p *place, keepAlive, buffering bool) *site {
	t.Helper()
	config := "minimal.conf"
	if keepAlive {
		config = "production.conf"
	}
	around := fmt.Sprintf("client_max_body_size 1g; fastcgi_request_buffering %[1]s; fastcgi_buffering %[1]s;", onOff(buffering))
	s := nginx.run(t, p, config, around)
	s.keepAlive, s.requestBuffering, s.responseBuffering = keepAlive, buffering, buffering
	return s
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
