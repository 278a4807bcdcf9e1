package interop_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var apache = &webServer{
	name:    "apache",
	title:   "Apache mod_proxy_fcgi",
	program: "apache2",
	debian:  "apache2",
	stop:    syscall.SIGTERM,
	command: apacheCommand,
	settle:  awaitPrograms,
	reload:  reloadApache,
	limits: []limit{
		{
			scenario: "conversation",
			reason:   "waits for more of the body before it looks for an answer",
		},
		{
			scenario: "client leaves a silent request",
			reason:   "does not look at the client while it waits for the application, up to its timeout",
		},
		{
			scenario: "local redirect",
			reason:   "sends a local Location to the client, as 302",
		},
	},
}

// What Apache cannot do without the directives of production.conf.
var (
	withoutFlushPackets = limit{
		scenario: "stream, chunk by chunk",
		reason:   "collects the answer, unless flushpackets is on",
	}
	withoutDirectives = []limit{
		{
			scenario: "%2F in a path",
			reason:   "answers 404, unless AllowEncodedSlashes is on",
		},
		{
			scenario: "response of 10 MB",
			reason:   "drops the application's Content-Length, unless ap_trust_cgilike_cl is set",
		},
		{
			scenario: "HEAD",
			reason:   "drops the application's Content-Length, unless ap_trust_cgilike_cl is set",
		},
	}
)

// withLimits returns the same web server in a state in which it can do less.
func (w *webServer) withLimits(more ...limit) *webServer {
	limited := *w
	limited.limits = slices.Concat(w.limits, more)
	return &limited
}

// apacheModules finds the line of a printed configuration that says what to run before it is copied.
var apacheModules = regexp.MustCompile(`(?m)^# a2enmod (.*)$`)

// apacheCommand is a webServer's command.
func apacheCommand(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
	t.Helper()
	return setUpApache(t, p, site, around).foreground(program)
}

// setUpApache does with Debian's Apache what the page says: it enables the modules that the configuration names, puts
// the configuration among the sites, and enables it.
func setUpApache(t *testing.T, p *place, site, around string) *stockApache {
	t.Helper()
	a := newStockApache(t, p)
	config := readFile(t, site)
	modules := apacheModules.FindStringSubmatch(config)
	if modules == nil {
		t.Fatalf("%s does not say which modules it needs", site)
	}
	a.enableModules(t, strings.Fields(modules[1])...)
	a.enable(t, "conf", "around", around)
	a.enable(t, "sites", "app", a.fill(config))
	a.admit(t, p.socket)
	return a
}

// reloadApache does what systemctl reload does.
func reloadApache(t testing.TB, s *site) {
	t.Helper()
	cmd := exec.Command(s.process.cmd.Path, "-d", s.place.path("etc"), "-k", "graceful")
	cmd.Env = s.process.cmd.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}

// apacheLoad is around a configuration that many clients ask. It has every process of Apache's take all of them: where
// one has no thread free, it closes connections that it keeps for clients, and what one sends at that moment is lost.
// And it has Apache wait for the application only so long, where the configuration does not say.
const apacheLoad = `
ThreadsPerChild   64
MaxSpareThreads   1024
MaxRequestWorkers 1024
ProxyTimeout      5`

func TestApache(t *testing.T) {
	apache.matrix(t,
		setup{name: "minimal", site: func(t *testing.T, p *place, app application) *site {
			w := apache.withLimits(append(withoutDirectives, withoutFlushPackets)...)
			return w.withApplication(t, p, app, "minimal.conf", "unix:"+p.socket, apacheLoad)
		}},
		setup{name: "production", site: func(t *testing.T, p *place, app application) *site {
			return apache.withApplication(t, p, app, "production.conf", "unix:"+p.socket, apacheLoad)
		}},
		setup{name: "connections kept", site: func(t *testing.T, p *place, app application) *site {
			w := apache.withLimits(withoutDirectives...)
			s := w.withApplication(t, p, app, "tcp.conf", "tcp:"+p.tcp, apacheLoad)
			s.keepAlive = true
			return s
		}},
	)
}

// withApplication runs an application on an address, and a web server.
func (w *webServer) withApplication(t *testing.T, p *place, app application, config, addr, around string) *site {
	t.Helper()
	restart := app.listen(t, addr)
	if app.disposable {
		// At its end Apache waits 10 s for threads that wait for an application, though their clients have left.
		killed := *w
		killed.stop = os.Kill
		w = &killed
	}
	s := w.run(t, p, config, around)
	s.restart = restart
	if app.disposable {
		t.Cleanup(func() { killGroup(s.process) })
	}
	return s
}
