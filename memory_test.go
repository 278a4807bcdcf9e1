//go:build unix

package fastcgi_test

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// onMeasured runs a test with a server of each kind of handler, in a process of its own, over a Unix socket.
func onMeasured(t *testing.T, test func(t *testing.T, c *process)) {
	for _, kind := range []string{"sync", "async", "http"} {
		t.Run(kind, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) { test(t, child{part: part{Kind: kind}}.passing(t, p)) })
		})
	}
}

// figures asks the server for its figures.
func (p *process) figures(t *testing.T) (f figures) {
	t.Helper()
	w := p.dial(t)
	defer w.Close()
	body := w.ask(1, httpGet("DO", "figures")...).body()
	if err := json.Unmarshal([]byte(body), &f); err != nil {
		t.Fatalf("the figures are %q: %v", body, err)
	}
	return f
}

// twenty are the parameters of a plain GET as nginx sends them, 20 in 500 bytes.
var twenty = httpGet("REQUEST_URI", "/some/where?and=what", "SCRIPT_NAME", "/some/where", "QUERY_STRING", "and=what",
	"GATEWAY_INTERFACE", "CGI/1.1", "SERVER_SOFTWARE", "nginx/1.22.1", "SERVER_ADDR", "192.0.2.2", "SERVER_PORT", "80",
	"SERVER_NAME", "example.com", "REQUEST_SCHEME", "http", "DOCUMENT_ROOT", "/var/www/html", "REDIRECT_STATUS", "200",
	"HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "HTTP_ACCEPT", "*/*")

// F8: what a connection costs that waits for a request, and a request that waits in its handler. docs/limits.md has the
// figures, from a run without the race detector, which takes several times as much.
func TestMemory(t *testing.T) {
	const conns = 2000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Max < conns+100 {
		required.Missing(t, "%d connections need more descriptors than %d (%v): raise ulimit -n", conns, limit.Max, err)
	}
	onMeasured(t, func(t *testing.T, c *process) {
		before := c.figures(t)
		var webs []*web
		for range conns {
			w := c.dial(t)
			w.ask(1, twenty...)
			webs = append(webs, w)
		}
		idle := c.figures(t)
		for _, w := range webs {
			w.send(start(1, true, append(twenty, "DO", "wait")...))
		}
		var waiting figures
		eventually(t, "all requests wait", func() bool {
			waiting = c.figures(t)
			return waiting.Waiting == conns
		})
		perConn, perRequest := (idle.Memory-before.Memory)/conns, (waiting.Memory-before.Memory)/conns
		t.Logf("%d bytes for an idle connection, %d for one with a request that waits", perConn, perRequest)
		if perConn > 16<<10 || perRequest > 32<<10 {
			t.Error("that is too much")
		}
	})
}
