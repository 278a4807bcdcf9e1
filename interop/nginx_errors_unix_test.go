//go:build unix

package interop_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/user"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

var nginxMishaps = []mishap{
	{
		name: "not started", log: "failed (2: No such file or directory)", status: 502,
	},
	{
		name: "not listening", log: "failed (111: Connection refused)", status: 502,
		serve: leaveSocketFile,
	},
	{
		name: "backlog full", log: "failed (11: Resource temporarily unavailable)", status: 502,
		serve: fillBacklog,
	},
	{
		name: "crash", log: "upstream prematurely closed connection while reading response header", status: 502,
		serve: reply(""),
	},
	{
		name: "HTTP", log: "upstream sent unsupported FastCGI protocol version: 72", status: 502,
		serve: reply("HTTP/1.1 400 Bad Request\r\n\r\n"),
	},
	{
		name: "no answer", log: "upstream prematurely closed FastCGI stdout while reading response header", status: 502,
		serve: handle(noAnswer),
	},
	{
		name: "refused", log: "upstream sent unexpected FastCGI record: 3", status: 502,
		serve: refuse,
	},
	{
		name: "large header", log: "upstream sent too big header while reading response header", status: 502,
		serve: handle(largeHeader(os.Getpagesize())),
	},
	{
		name: "slow", log: "upstream timed out (110: Connection timed out) while reading response header", status: 504,
		serve:  handle(hang),
		around: "fastcgi_read_timeout 100ms;",
	},
	{
		name: "panic", log: `FastCGI sent in stderr: "fastcgi: handler panicked:`, status: 500,
		serve: handle(panics),
	},
	{
		name: "short body", log: "upstream prematurely closed FastCGI stdout while reading upstream",
		serve: handle(shortBody),
		ask:   breaksOff,
	},
	{
		name: "long body", log: `upstream sent more data than specified in "Content-Length" header`, status: 200,
		serve: handle(longBody),
	},
	{
		name: "silent within the body", log: "upstream timed out (110: Connection timed out) while reading upstream",
		serve:  handle(hangWithin),
		around: "fastcgi_read_timeout 1s;",
		ask:    breaksOff,
	},
	{
		name: "client gone", log: "client prematurely closed connection, so upstream connection is closed too",
		serve: handle(hang),
		ask:   leaves,
	},
	{
		name: "large body", log: "client intended to send too large body",
		ask: func(t *testing.T, s *site) { wantStatus(t, s.post(t, "", strings.Repeat("x", 1<<20+1)), 413) },
	},
	{
		name: "large parameters", log: "fastcgi request record is too big",
		around: "large_client_header_buffers 4 80k;",
		ask: func(t *testing.T, s *site) {
			req := s.request(t, http.MethodGet, "", nil)
			req.Header.Set("X-Large", strings.Repeat("x", 1<<16))
			wantStatus(t, s.do(t, req), 500)
		},
	},
}

func TestNginxErrors(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	for _, m := range nginxMishaps {
		t.Run(m.name, func(t *testing.T) { m.happen(t, nginx) })
	}
}

// A socket that only its owner may use is no use to nginx, whose workers are somebody else. Debian's nginx has a user
// for them, which a group can let in.
func TestNginxSocketPermissions(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	www, err := user.Lookup("www-data")
	if os.Geteuid() != 0 || err != nil {
		required.Missing(t, "this needs root and the user www-data, as on Debian")
	}
	asUser := *nginx
	asUser.command = nginxCommand(www.Username)
	for _, tt := range []struct {
		group  string
		status int
	}{
		{"root", 502},
		{"www-data", 404},
	} {
		t.Run(tt.group, func(t *testing.T) {
			p := newPlace(t)
			l, err := fastcgi.Listen("unix:"+p.socket, &fastcgi.ListenOptions{Group: tt.group})
			if err != nil {
				t.Fatal(err)
			}
			serveOn(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.NotFoundHandler())}, l)
			s := asUser.run(t, p, "minimal.conf", "")
			wantStatus(t, s.get(t, ""), tt.status)
			if tt.status == 502 {
				const log = "failed (13: Permission denied)"
				wantExplained(t, nginx, log)
				s.wantLog(t, log)
			}
		})
	}
}

// Once nginx has the beginning of the answer, it does not wait for the application to take more of the body: a handler
// that answers first and reads then gets what the socket's buffer had room for.
func TestNginxIsHalfDuplex(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	p := newPlace(t)
	begun, read := make(chan struct{}), make(chan error, 1)
	handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		_ = fastcgi.SendResponse(w, 200, "text/plain", "begin\n")
		_ = w.Flush()
		<-begun
		_, err := io.Copy(io.Discard, r)
		read <- err
	})(t, p)
	s := nginx.run(t, p, "minimal.conf", "fastcgi_read_timeout 1s; fastcgi_buffering off; client_max_body_size 0;")
	req := s.request(t, http.MethodPost, "", noise(10_000_000))
	req.ContentLength = 10_000_000
	resp := s.begin(t, req)
	close(begun)
	if body, err := io.ReadAll(resp.Body); string(body) != "begin\n" || err == nil {
		t.Errorf("the response is %q, %v", body, err)
	}
	if err := <-read; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reading the body ended with %v", err)
	}
	s.wantLog(t, "upstream timed out (110: Connection timed out) while reading upstream")
}
