//go:build linux

package interop_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var lighttpd = &webServer{
	name:    "lighttpd",
	program: "lighttpd",
	debian:  "lighttpd",
	stop:    syscall.SIGINT,
	command: lighttpdCommand(false),
	reload:  reloadLighttpd,
	limits: []limit{
		{
			scenario: "conversation",
			reason:   "collects the body before it asks the application, or answers 411 to one that does not say its length",
		},
		{
			scenario: "upload of unknown length", when: func(s *site) bool { return !s.requestBuffering },
			reason: "answers 411, because it needs a CONTENT_LENGTH and may not wait for it",
		},
		{
			scenario: "stream, chunk by chunk", when: (*site).buffersResponses,
			reason: "collects the answer, as it is told to",
		},
		{
			scenario: "client leaves within its upload", when: (*site).buffersRequests,
			reason: "collects the body first, so the application never hears of the request",
		},
		{
			scenario: "client leaves within the response", when: (*site).buffersResponses,
			reason: "collects the answer, all of it, and only then looks for the client",
		},
		{
			scenario: "client leaves a silent request",
			reason:   "takes a client that is gone for one that has only finished sending, until it has something to send to it",
		},
		{
			scenario: "local redirect",
			reason:   "sends a local Location to the client, as 302, unless its experimental local-redir is set",
		},
		{
			scenario: "underscores in headers",
			reason:   "passes X_Once on as HTTP_X_ONCE",
		},
		{
			scenario: "%0A in a path",
			reason:   "answers 400 to control characters in a path",
		},
		{
			scenario: "%FF in a path",
			reason:   "answers 400 to a path that is not UTF-8",
		},
	},
}

var reloadLighttpd = reloadOn(syscall.SIGUSR1, "server started")

// lighttpdCommand is a webServer's command. It does with Debian's lighttpd what the page says: it puts the printed
// configuration among the available ones and enables it. As whom lighttpd then runs, Debian's configuration says; it
// stays the test's own user unless it is to be that one.
func lighttpdCommand(asDebian bool) func(*testing.T, string, *place, string, string) *exec.Cmd {
	return func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		for _, dir := range []string{"conf-available", "conf-enabled"} {
			if err := os.Mkdir(p.path(dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		// Before the others, so that they inherit it.
		p.write(t, "conf-enabled/00-around.conf", around+"\n")
		available := p.write(t, "conf-available/90-app.conf", fillLighttpd(t, p, readFile(t, site)))
		if err := os.Symlink(available, p.path("conf-enabled/90-app.conf")); err != nil {
			t.Fatal(err)
		}
		conf := p.write(t, "lighttpd.conf", debianLighttpd(t, p, asDebian))
		return exec.Command(program, "-D", "-f", conf)
	}
}

// fillLighttpd puts a place into a printed configuration, besides what place.fill has put there.
func fillLighttpd(t *testing.T, p *place, config string) string {
	t.Helper()
	return strings.NewReplacer(
		"/usr/local/bin/app", p.path("app"),
		"/run/lighttpd/app.sock", p.path("spawned.sock"),
		"/var/lib/app/files", p.path("files"),
		"=> 9000", "=> "+portOf(t, p.tcp),
	).Replace(config)
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// createMIME is the script in Perl that Debian's configuration runs whenever lighttpd starts or reloads.
const createMIME = "/usr/share/lighttpd/create-mime.conf.pl"

// mimeTypes is what it prints, which is the same each time and takes longer than all that lighttpd does then.
var mimeTypes = sync.OnceValues(exec.Command(createMIME).Output)

// debianLighttpd returns the configuration of Debian's package, of which only the paths, the port, the patience with
// requests when lighttpd ends, and perhaps the user change. Where lighttpd is not Debian's user, it includes mimeTypes.
func debianLighttpd(t *testing.T, p *place, asDebian bool) string {
	t.Helper()
	changes := []string{
		"/etc/lighttpd", p.dir,
		"/var/log/lighttpd", p.dir,
		"/run/lighttpd.pid", p.path("lighttpd.pid"),
		"/var/cache/lighttpd/uploads", p.dir,
		`graceful-shutdown-timeout" => 5`, `graceful-shutdown-timeout" => 1`,
		"= 80\n", fmt.Sprintf("= %s\nserver.bind = \"127.0.0.1\"\n", portOf(t, freePorts(t, 1)[0])),
	}
	if !asDebian {
		types, err := mimeTypes()
		if err != nil {
			t.Fatalf("%s: %v", createMIME, err)
		}
		included := p.write(t, "mime.conf", string(types))
		changes = append(changes, "server.username", "#", "server.groupname", "#",
			fmt.Sprintf("include_shell %q", createMIME), fmt.Sprintf("include %q", included))
	}
	return strings.NewReplacer(changes...).Replace(readFile(t, "/etc/lighttpd/lighttpd.conf"))
}

func TestLighttpd(t *testing.T) {
	lighttpd.matrix(t,
		setup{name: "production", site: lighttpdSetup("/")},
		setup{name: "production, streamed uploads", site: lighttpdSetup("/upload/")},
		setup{name: "started by lighttpd", site: lighttpdSpawns},
	)
}

// lighttpdSetup runs lighttpd as the page does for production. The path says how it treats bodies.
func lighttpdSetup(path string) func(*testing.T, *place, application) *site {
	return func(t *testing.T, p *place, app application) *site {
		t.Helper()
		restart := app.listen(t, "unix:"+p.socket)
		s := lighttpd.run(t, p, "production.conf", "")
		s.path, s.requestBuffering, s.restart = path, path == "/", restart
		return s
	}
}
