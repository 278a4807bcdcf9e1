//go:build linux

package interop_test

import (
	"io"
	"net/http"
	"os"
	"os/user"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

var h2oMishaps = []mishap{
	{
		name: "not started", log: "connection failed:failed to connect to host", status: 503,
	},
	{
		name: "not listening", log: "connection failed:failed to connect to host", status: 503,
		serve: leaveSocketFile,
	},
	{
		name: "backlog full", log: "connection failed:failed to connect to host", status: 503,
		serve: fillBacklog,
	},
	{
		name: "crash", log: "fastcgi connection closed unexpectedly", status: 503,
		serve: reply(""),
	},
	{
		name: "HTTP", log: "fastcgi connection closed unexpectedly", status: 503,
		serve: reply("HTTP/1.1 400 Bad Request\r\n\r\n"),
	},
	{
		name: "no answer", log: "received FCGI_END_REQUEST before end of the headers", status: 503,
		serve: handle(noAnswer),
	},
	{
		name: "refused", log: "received FCGI_END_REQUEST before end of the headers", status: 503,
		serve: refuse,
	},
	{
		name: "slow", log: "I/O timeout", status: 503,
		serve:  handle(hang),
		around: ioTimeout + "100",
	},
	{
		name: "silent within the body", log: "I/O timeout",
		serve:  handle(hangWithin),
		around: ioTimeout + "1000", // for the header as well, on a busy machine
		ask:    func(t *testing.T, s *site) { s.get(t, "").want(t, 200, "begin\n") },
	},
	{
		name: "panic", log: "fastcgi: handler panicked:", status: 500,
		serve: handle(panics),
	},
}

func TestH2OErrors(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	for _, m := range h2oMishaps {
		t.Run(m.name, func(t *testing.T) { m.happen(t, h2o) })
	}
}

// A body that is shorter than its Content-Length breaks off; one that is longer is cut.
func TestH2OContentLength(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		length := fastcgi.Pair{Name: "Content-Length", Value: r.Params.Get("HTTP_X_LENGTH")}
		_ = fastcgi.SendResponse(w, 200, "text/plain", "body\n", length)
	})(t, p)
	s := h2o.run(t, p, "minimal.conf", "")
	for length, want := range map[string]string{"3": "bod", "5": "body\n"} {
		req := s.request(t, http.MethodGet, "", nil)
		req.Header.Set("X-Length", length)
		s.do(t, req).want(t, 200, want)
	}
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("X-Length", "100")
	if a, err := s.try(req); err == nil {
		t.Errorf("the response is whole: %q", a.body)
	}
}

// The parameters may be as large as the application takes; beyond that the answer is its own.
func TestH2OLargeHeader(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
		_ = fastcgi.SendResponse(w, 200, "text/plain", "ok\n")
	})(t, p)
	s := h2o.run(t, p, "minimal.conf", "")
	for size, status := range map[int]int{60_000: 200, 70_000: 431} {
		req := s.request(t, http.MethodGet, "", nil)
		req.Header.Set("X-Large", strings.Repeat("x", size))
		wantStatus(t, s.do(t, req), status)
	}
}

// Why no connections are kept: H2O dies of an answer that ends before it has sent the body. Its master starts it again.
func TestH2ODiesOfKeptConnections(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	const log = "h2o_socket_export: Assertion"
	wantExplained(t, h2o, log)
	p := newPlace(t)
	// Other handlers' requests are ended behind the body.
	serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		_ = fastcgi.SendResponse(ex, 200, "text/plain", "ok\n")
		_ = ex.Finish(0)
	})}, "unix:"+p.socket)
	s := h2o.run(t, p, "keepalive.conf", "")
	req := s.request(t, http.MethodPost, "", noise(5_000_000))
	req.ContentLength = 5_000_000
	if a, err := s.try(req); err == nil {
		t.Errorf("status %d, body %q", a.StatusCode, a.body)
	}
	s.wantLog(t, log)
	eventually(t, "H2O answers again", func() bool {
		a, err := s.try(s.request(t, http.MethodGet, "", nil))
		return err == nil && a.body == "ok\n"
	})
}

// A socket that only its owner may use is no use to H2O, which Debian has a user for. Its group can let it in.
func TestH2OSocketPermissions(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	const theirs = "debian-h2o"
	if _, err := user.Lookup(theirs); os.Geteuid() != 0 || err != nil {
		required.Missing(t, "this needs root and the user %s, as on Debian", theirs)
	}
	// The quotes keep it from being replaced by the test's user.
	asDebian := h2o.edited("user: "+theirs, "user: '"+theirs+"'")
	for group, status := range map[string]int{"root": 503, theirs: 404} {
		t.Run(group, func(t *testing.T) {
			p := newPlace(t)
			l, err := fastcgi.Listen("unix:"+p.socket, &fastcgi.ListenOptions{Group: group})
			if err != nil {
				t.Fatal(err)
			}
			serveOn(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.NotFoundHandler())}, l)
			s := asDebian.run(t, p, "minimal.conf", "")
			wantStatus(t, s.get(t, ""), status)
			if status == 503 {
				s.wantLog(t, "connection failed:failed to connect to host")
			}
		})
	}
}

// H2O passes on what a handler sends after the header of an answer to HEAD.
func TestH2OPassesOnBodyOfHead(t *testing.T) {
	t.Parallel()
	h2o.find(t)
	p := newPlace(t)
	handle(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
		_, _ = io.WriteString(w, "Content-Length: 4\r\n\r\nbody")
	})(t, p)
	s := h2o.run(t, p, "minimal.conf", "")
	s.sendRaw(t, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").want(t, 200, "body")
}
