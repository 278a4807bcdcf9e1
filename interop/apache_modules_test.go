//go:build unix

package interop_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Apache's other modules are columns of their own: they start the application themselves.
var (
	fcgid = apache.module("Apache mod_fcgid",
		limit{
			scenario: "%2F in a path",
			reason:   "answers 404, unless AllowEncodedSlashes is on",
		},
		limit{
			scenario: "echo of 4 MB",
			reason:   "sends all of the body before it reads any of the answer, beyond what sockets hold",
		},
		limit{
			scenario: "conversation",
			reason:   "collects the body before it asks the application",
		},
		limit{
			scenario: "stream, chunk by chunk",
			reason:   "collects the answer, unless FcgidOutputBufferSize is 0",
		},
		limit{
			scenario: "client leaves a silent request",
			reason:   "does not look at the client while it waits for the application",
		},
		limit{
			scenario: "client leaves within its upload",
			reason:   "collects the body first, so the application never hears of the request",
		},
		limit{
			scenario: "web server reloads under load", sometimes: true,
			reason: "restarts the application, too, and may lose or delay what that is asked then",
		},
		limit{
			scenario: "application restarts under load", sometimes: true,
			reason: "answers 500 to what it asks a process that is just ending",
		},
	)
	cgid = apache.module("Apache mod_cgid",
		limit{
			scenario: "%2F in a path",
			reason:   "answers 404, unless AllowEncodedSlashes is on",
		},
		limit{
			scenario: "response of 10 MB",
			reason:   "drops the application's Content-Length, unless ap_trust_cgilike_cl is set",
		},
		limit{
			scenario: "HEAD",
			reason:   "drops the application's Content-Length, unless ap_trust_cgilike_cl is set",
		},
		limit{
			scenario: "echo of 4 MB",
			reason:   "sends all of the body before it reads any of the answer, beyond what pipes hold",
		},
		limit{
			scenario: "conversation",
			reason:   "sends all of the body before it reads any of the answer",
		},
		limit{scenario: "stream, chunk by chunk", reason: tellsNothing},
		limit{scenario: "client leaves a silent request", reason: tellsNothing},
		limit{scenario: "client leaves within its upload", reason: tellsNothing},
		limit{scenario: "client leaves within the response", reason: tellsNothing},
		limit{
			scenario: "web server reloads under load", sometimes: true,
			reason: "answers 503 while its daemon, which starts the processes, is restarted",
		},
	)
)

// tellsNothing is why nobody can watch a CGI program.
const tellsNothing = "starts a process for each request, which cannot tell the next one what became of its client"

// withoutProxy is apacheLoad for a web server that has no mod_proxy.
// Since all clients may wait for a process, there are more threads.
var withoutProxy = "ThreadLimit 128\n" + strings.NewReplacer("ThreadsPerChild   64", "ThreadsPerChild 128", "ProxyTimeout", "#").Replace(apacheLoad)

// module returns Apache as a module has it.
func (w *webServer) module(title string, limits ...limit) *webServer {
	module := *w
	module.title, module.limits = title, limits
	return &module
}

func TestApacheFcgid(t *testing.T) {
	fcgid.matrix(t, setup{name: "fcgid.conf", site: func(t *testing.T, p *place, app application) *site {
		w := fcgid.startingApplication(app.program, app.args...)
		s := w.run(t, p, "fcgid.conf", withoutProxy+"\nFcgidMaxRequestLen 1073741824")
		s.restart = func(t testing.TB) { terminateAll(t, p.dir) }
		return s
	}})
}

func TestApacheCGI(t *testing.T) {
	cgid.matrix(t, setup{name: "cgi.conf", cgi: true, site: func(t *testing.T, p *place, app application) *site {
		// Apache leaves those alone whose clients have left.
		t.Cleanup(func() { terminateAll(t, p.dir) })
		s := cgid.startingApplication(app.program, app.args...).run(t, p, "cgi.conf", withoutProxy)
		s.restart = func(testing.TB) {} // each request has its own process anyway
		return s
	}})
}

// terminateAll asks all processes of programs in a folder to end.
func terminateAll(t testing.TB, dir string) {
	t.Helper()
	programs, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, exe := range programs {
		path, err := os.Readlink(exe)
		if err != nil || !strings.HasPrefix(path, dir+"/") {
			continue // it has ended meanwhile, or is none of these
		}
		if pid, err := strconv.Atoi(strings.Split(exe, "/")[2]); err == nil {
			_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended just now
		}
	}
}
