//go:build linux

package interop_test

import (
	"net/http"
	"os/exec"
	"os/user"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

var h2o = &webServer{
	name:    "h2o",
	title:   "H2O",
	program: "h2o",
	debian:  "h2o",
	stop:    syscall.SIGTERM,
	command: h2oCommand,
	reload:  reloadOn(syscall.SIGHUP, "new worker is now running"),
	limits: []limit{
		{
			scenario: "underscores in headers",
			reason:   "passes X_Once on as HTTP_X_ONCE",
		},
		{
			scenario: "conversation",
			reason:   "collects the body before it asks the application",
		},
		{
			// What reads the rest of the body before it ends a request, as all but async handlers do, is safe.
			scenario: "upload that is not read", when: func(s *site) bool { return s.keepAlive }, sometimes: true,
			reason: "dies of an assertion when a kept connection's answer ends before it has sent the body",
		},
		{
			scenario: "local redirect",
			reason:   "sends a local Location to the client, with status 200",
		},
		{
			scenario: "client leaves a silent request",
			reason:   "does not look for the client before it has something to send to it",
		},
		{
			scenario: "client leaves within its upload",
			reason:   "collects the body first, so the application never hears of the request",
		},
		{
			scenario: "application restarts under load", when: func(s *site) bool { return s.keepAlive },
			reason: "answers 503 to a request that meets a kept connection just being closed", sometimes: true,
		},
	},
}

// h2oCommand is a webServer's command. A printed configuration of H2O's is all of it, as Debian's own is; of it the paths,
// the ports, the user and timeouts change. It is run as Debian's unit does.
func h2oCommand(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	config := readFile(t, site)
	switch {
	case strings.Contains(config, ioTimeout):
		config = strings.Replace(config, ioTimeout+"60000", ioTimeout+h2oTimeout, 1)
	case !strings.Contains(around, ioTimeout):
		around += "\n" + ioTimeout + h2oTimeout
	}
	if !strings.Contains(config, "http1-request-timeout: ") {
		around += "\nhttp1-request-timeout: 60" // 10 s are not enough for 100 MB on a busy machine
	}
	config = strings.NewReplacer(
		"user: debian-h2o", "user: "+me.Username,
		"/run/h2o.pid", p.path("h2o.pid"),
		"/usr/local/bin/app", p.path("app"),
		"/var/log/h2o", p.dir,
		"port: 8080", "port: "+portOf(t, p.http),
		"port: 8443", "port: "+portOf(t, p.https),
		"port: 9000", "port: "+portOf(t, p.tcp),
	).Replace(config)
	return exec.Command(program, "-c", p.write(t, "h2o.conf", config+around+"\n"), "-m", "master")
}

// H2O does not end before the last request, so one that the application never answers has to reach this timeout of H2O's,
// in milliseconds. It is longer than a scenario gets that is a limit of H2O's, which would pass otherwise, and than 100 MB
// take on a busy machine: H2O does not begin it anew while a body is on its way.
const (
	ioTimeout  = "fastcgi.timeout.io: "
	h2oTimeout = "15000"
)

func TestH2O(t *testing.T) {
	h2o.matrix(t,
		setup{name: "production", site: h2oSetup("production.conf")},
		setup{name: "connections kept", site: h2oSetup("keepalive.conf")},
	)
}

func h2oSetup(config string) func(*testing.T, *place, application) *site {
	return func(t *testing.T, p *place, app application) *site {
		t.Helper()
		restart := app.listen(t, "unix:"+p.socket)
		s := h2o.run(t, p, config, "")
		s.keepAlive, s.requestBuffering, s.restart = config == "keepalive.conf", true, restart
		return s
	}
}

func TestH2OLikeNetHTTP(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	p := newPlace(t)
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(look))}, "unix:"+p.socket)
	likeNetHTTP(t, h2o.run(t, p, "minimal.conf", ""))
}
