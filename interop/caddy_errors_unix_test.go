//go:build unix

package interop_test

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

var caddyMishaps = []mishap{
	{
		name: "not started", log: "connect: no such file or directory", status: 502,
	},
	{
		name: "not listening", log: "connect: connection refused", status: 502,
		serve: leaveSocketFile,
	},
	{
		name: "backlog full", log: "connect: resource temporarily unavailable", status: 502,
		serve: fillBacklog,
	},
	{
		name: "crash", log: `"msg":"EOF"`, status: 502,
		serve: hangUp,
	},
	{
		name: "refused", log: `"msg":"EOF"`, status: 502,
		serve: refuse,
	},
	{
		name: "no answer", log: `"msg":"EOF"`, status: 502,
		serve: handle(noAnswer),
	},
	{
		name: "no header", log: "malformed MIME header: missing colon", status: 502,
		serve: handle(noHeader),
	},
	{
		name: "long body", log: "http: wrote more than the declared Content-Length",
		serve: handle(longBody),
		ask:   breaksOff,
	},
	{
		name: "client gone", log: "aborting with incomplete response",
		serve: handle(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			_ = fastcgi.SendResponse(w, 200, "text/plain", nil)
			for {
				if _, err := io.WriteString(w, strings.Repeat("more\n", 1000)); err != nil {
					return
				}
			}
		}),
		ask: leavesWithin,
	},
}

func TestCaddyErrors(t *testing.T) {
	t.Parallel()
	caddy.find(t)
	for _, m := range caddyMishaps {
		t.Run(m.name, func(t *testing.T) { m.happenWith(t, caddy, "minimal.Caddyfile") })
	}
}

// hangUp is an application that dies with every request.
func hangUp(t *testing.T, p *place) {
	t.Helper()
	closeWhenSilent(t, listenUnix(t, p))
}

// closeWhenSilent closes each connection once nothing more is sent on it.
func closeWhenSilent(t *testing.T, l net.Listener) {
	t.Helper()
	serveConns(t, l, func(c net.Conn) {
		var silent error
		for silent == nil {
			_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			_, silent = c.Read(make([]byte, 1<<16))
		}
	})
}

// leavesWithin is a client that leaves while it is being answered.
func leavesWithin(t *testing.T, s *site) {
	t.Helper()
	resp := s.begin(t, s.request(t, http.MethodGet, "", nil))
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Error(err)
	}
	resp.Body.Close()
}

// What has a limit in production.Caddyfile, with smaller limits.
func TestCaddyLimits(t *testing.T) {
	t.Parallel()
	caddy.find(t)
	strict := *caddy
	strict.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		text := strings.NewReplacer("timeout 10m", "timeout 200ms", "1GB", "1KB").Replace(readFile(t, site))
		return caddyCommand(t, program, p, p.write(t, "strict.Caddyfile", text), around)
	}
	for _, m := range []mishap{
		{
			name: "slow", log: "i/o timeout", status: 504,
			serve: handle(hang),
		},
		{
			name: "slow within the body", log: "aborting with incomplete response",
			serve: handle(hangWithin),
			ask:   func(t *testing.T, s *site) { s.get(t, "").want(t, 200, "begin\n") },
		},
		{
			name:  "large body",
			serve: handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) { _, _ = io.Copy(io.Discard, r) }),
			ask: func(t *testing.T, s *site) {
				for n, status := range map[int]int{1000: 500, 1001: 413} { // 500: the handler answers nothing
					wantStatus(t, s.post(t, "", strings.Repeat("x", n)), status)
				}
			},
		},
	} {
		t.Run(m.name, func(t *testing.T) {
			p := newPlace(t)
			m.serve(t, p)
			s := runNamed(t, &strict, p, "production.Caddyfile")
			if m.ask != nil {
				m.ask(t, s)
			} else {
				wantStatus(t, s.get(t, ""), m.status)
			}
			if m.log != "" {
				wantExplained(t, caddy, m.log)
				s.wantLog(t, m.log)
			}
		})
	}
}
