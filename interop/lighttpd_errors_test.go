//go:build linux

package interop_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

var lighttpdMishaps = []mishap{
	{
		name: "not started", log: "app.sock: No such file or directory", status: 503,
	},
	{
		name: "not listening", log: "app.sock: Connection refused", status: 503,
		serve: leaveSocketFile,
	},
	{
		name: "backlog full", log: "connection was dropped after accept() (perhaps the gw process died), write-offset: 0", status: 500,
		serve: fillBacklog,
	},
	{
		name: "crash", log: "unexpected end-of-file (perhaps the fastcgi process died)", status: 500,
		serve: reply(""),
	},
	{
		name: "HTTP", log: "unexpected end-of-file (perhaps the fastcgi process died)", status: 500,
		serve: reply("HTTP/1.1 400 Bad Request\r\n\r\n"),
	},
	{
		name: "large header", log: "response headers too large for", status: 502,
		serve: handle(largeHeader(1 << 16)),
	},
	{
		name: "panic", log: "FastCGI-stderr:fastcgi: handler panicked:", status: 500,
		serve: handle(panics),
	},
	{
		name: "large body", log: "request-size too long:",
		around: "server.max-request-size = 1",
		ask:    func(t *testing.T, s *site) { wantStatus(t, s.post(t, "", strings.Repeat("x", 1025)), 413) },
	},
	{
		name: "large parameters", log: "oversized request-header -> sending Status 431",
		ask: func(t *testing.T, s *site) {
			req := s.request(t, http.MethodGet, "", nil)
			req.Header.Set("X-Large", strings.Repeat("x", 1<<13))
			wantStatus(t, s.do(t, req), 431)
		},
	},
}

func TestLighttpdErrors(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	for _, m := range lighttpdMishaps {
		t.Run(m.name, func(t *testing.T) { m.happen(t, lighttpd) })
	}
}

// Of these the error log says nothing, and the page that it does not.
func TestLighttpdIsSilent(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	for name, srv := range map[string]*fastcgi.Server{
		"no answer": {Handler: fastcgi.HandlerFunc(noAnswer)},
		"refused":   noResponder(),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			serve(t, srv, "unix:"+p.socket)
			s := lighttpd.run(t, p, "minimal.conf", "")
			wantStatus(t, s.get(t, ""), 500)
			if log := p.read(t, "error.log"); strings.Count(log, "\n") != 1 {
				t.Errorf("the error log says more than that lighttpd was started: %s", log)
			}
		})
	}
}

// edited is the web server with a setting of a printed configuration changed.
func (w *webServer) edited(from, to string) *webServer {
	e := *w
	e.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		config := readFile(t, site)
		if !strings.Contains(config, from) {
			t.Fatalf("%s has no %s", site, from)
		}
		p.write(t, "edited", strings.Replace(config, from, to, 1))
		return w.command(t, program, p, p.path("edited"), around)
	}
	return &e
}

// An application that is silent for longer than the read-timeout is given up: with an error, or in the middle of its
// answer.
func TestLighttpdReadTimeout(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	const log = "read timeout on socket"
	wantExplained(t, lighttpd, log)
	hasty := lighttpd.edited(`"read-timeout"    => 60`, `"read-timeout"    => 1`)
	for name, tt := range map[string]struct {
		begin string
		ask   func(*testing.T, *site)
	}{
		"silent":               {"", func(t *testing.T, s *site) { wantStatus(t, s.get(t, ""), 504) }},
		"silent within a body": {"begin\n", breaksOff},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				if tt.begin != "" {
					_ = fastcgi.SendResponse(w, 200, "text/plain", tt.begin)
					_ = w.Flush()
				}
				hang(w, r)
			})(t, p)
			s := hasty.run(t, p, "production.conf", "")
			tt.ask(t, s)
			s.wantLog(t, log)
		})
	}
}

// By itself lighttpd collects the whole answer before the client gets any of it.
func TestLighttpdCollectsAnswers(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	p := newPlace(t)
	handle(hangWithin)(t, p)
	leaves(t, lighttpd.run(t, p, "minimal.conf", ""))
}

// A body that is shorter than its Content-Length leaves the client waiting; one that is longer is cut.
func TestLighttpdContentLength(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		length := fastcgi.Pair{Name: "Content-Length", Value: r.Params.Get("QUERY_STRING")}
		_ = fastcgi.SendResponse(w, 200, "text/plain", "body\n", length)
	})(t, p)
	s := lighttpd.run(t, p, "production.conf", "")
	s.get(t, "3").want(t, 200, "bod")

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	resp := s.begin(t, s.request(t, http.MethodGet, "100", nil).WithContext(ctx))
	if body, err := io.ReadAll(resp.Body); string(body) != "body\n" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the response is %q, %v", body, err)
	}
}

// A socket that only its owner may use is no use to lighttpd, which runs as www-data on Debian. Its group can let it in.
func TestLighttpdSocketPermissions(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	www, err := user.Lookup("www-data")
	if os.Geteuid() != 0 || err != nil {
		required.Missing(t, "this needs root and the user www-data, as on Debian")
	}
	asDebian := *lighttpd
	asDebian.command = lighttpdCommand(true)
	for group, status := range map[string]int{"root": 503, www.Username: 404} {
		t.Run(group, func(t *testing.T) {
			p := newPlace(t)
			l, err := fastcgi.Listen("unix:"+p.socket, &fastcgi.ListenOptions{Group: group})
			if err != nil {
				t.Fatal(err)
			}
			serveOn(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.NotFoundHandler())}, l)
			// lighttpd opens it as www-data, whose folder Debian's is.
			if err := os.Chmod(p.write(t, "error.log", ""), 0o666); err != nil {
				t.Fatal(err)
			}
			s := asDebian.run(t, p, "minimal.conf", "")
			wantStatus(t, s.get(t, ""), status)
			if status == 503 {
				const log = "app.sock: Permission denied"
				wantExplained(t, lighttpd, log)
				s.wantLog(t, log)
			}
		})
	}
}
