//go:build unix

package interop_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// apacheMishaps are those of each configuration.
var apacheMishaps = map[string][]mishap{"minimal.conf": {
	{
		name: "not started", status: 503,
		log: "(2)No such file or directory: AH02454: FCGI: attempt to connect to Unix domain socket",
	},
	{
		name: "not listening", status: 503,
		log:   "(111)Connection refused: AH02454: FCGI: attempt to connect to Unix domain socket",
		serve: leaveSocketFile,
	},
	{
		name: "crash", log: "AH01067: Failed to read FastCGI header", status: 503,
		serve: reply(""),
	},
	{
		name: "HTTP", log: "AH01068: Got bogus version 72", status: 503,
		serve: reply("HTTP/1.1 400 Bad Request\r\n\r\n"),
	},
	{
		name: "no header", log: "malformed header from script '': Bad header:", status: 500,
		serve: handle(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { _, _ = w.Write([]byte("hello, world\n\n")) }),
	},
	{
		name: "large header", log: "Premature end of script headers:", status: 500,
		serve: handle(largeHeader(8 << 10)),
	},
	{
		name: "slow", log: "(70007)The timeout specified has expired:", status: 504,
		serve:  handle(hang),
		around: "ProxyTimeout 1",
	},
	{
		name: "panic", log: "AH01071: Got error 'fastcgi: handler panicked:", status: 500,
		serve: handle(panics),
	},
	{
		name: "client gone", log: "(70008)Partial results are valid but processing is incomplete:",
		serve: func(t *testing.T, p *place) { startProbe(t, buildProbe(t), "unix:"+p.socket) },
		ask:   func(t *testing.T, s *site) { leaveUpload(t, s) },
	},
	{
		name: "large parameter", log: "AH02536: couldn't encode envvar", status: 200,
		serve: handle(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			_ = fastcgi.SendResponse(w, 200, "text/plain", r.Params.Get("HTTP_X_LARGE"))
		}),
		around: "LimitRequestFieldSize 80000",
		ask: func(t *testing.T, s *site) {
			req := s.request(t, http.MethodGet, "", nil)
			req.Header.Set("X-Large", strings.Repeat("x", 1<<14))
			s.do(t, req).want(t, 200, "")
		},
	},
}, "tcp.conf": {
	{
		name: "not listening on TCP", status: 503,
		log: "(111)Connection refused: AH00957: FCGI: attempt to connect to",
	},
	{
		name: "silent within the body", log: "(70007)The timeout specified has expired:",
		serve:  onPort(hangWithin),
		around: "ProxyTimeout 1",
		ask:    breaksOff,
	},
}, "files.conf": {
	{
		name: "odd path", log: "AH10414: To be forwarded path contains control characters or '?'",
		ask: func(t *testing.T, s *site) {
			wantStatus(t, s.sendRaw(t, "GET /what%3Fnot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 403)
		},
	},
}}

func TestApacheErrors(t *testing.T) {
	t.Parallel()
	apache.find(t)
	for config, mishaps := range apacheMishaps {
		for _, m := range mishaps {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel() // they wait most of the time
				m.happenWith(t, apache, config)
			})
		}
	}
}

// What ends without an answer is an empty page for Apache, and an error for nobody: what END_REQUEST says goes unread.
func TestApacheTakesNothingForAnAnswer(t *testing.T) {
	t.Parallel()
	apache.find(t)
	nothing := &fastcgi.Server{Handler: fastcgi.HandlerFunc(noAnswer)}
	for name, srv := range map[string]*fastcgi.Server{"nothing": nothing, "UNKNOWN_ROLE": noResponder()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			serve(t, srv, "unix:"+p.socket)
			apache.run(t, p, "minimal.conf", "").get(t, "").want(t, 200, "")
		})
	}
}

// The socket of an application that has not given it to Apache's group.
func TestApacheSocketPermissions(t *testing.T) {
	t.Parallel()
	apache.find(t)
	if os.Geteuid() != 0 {
		required.Missing(t, "this needs root, for Apache to be another user")
	}
	for _, tt := range []struct {
		group  string
		status int
	}{
		{"root", 503},
		{apacheUser, 404},
	} {
		t.Run(tt.group, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			// Apache connects when it is asked, and is told of a socket that is not there yet.
			s := apache.run(t, p, "minimal.conf", "")
			l, err := fastcgi.Listen("unix:"+p.socket, &fastcgi.ListenOptions{Group: tt.group})
			if err != nil {
				t.Fatal(err)
			}
			serveOn(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.NotFoundHandler())}, l)
			wantStatus(t, s.get(t, ""), tt.status)
			if tt.status == 503 {
				const log = "(13)Permission denied: AH02454: FCGI: attempt to connect to Unix domain socket"
				wantExplained(t, apache, log)
				s.wantLog(t, log)
			}
		})
	}
}

// fcgidMishaps are those of programs that Apache starts, given as scripts.
var fcgidMishaps = []struct {
	name, log, script, around string
	query, body               string
	status                    int
}{
	{
		name: "ends", log: "End of script output before headers: app",
		script: "echo no configuration >&2; exit 1", status: 500,
	},
	{
		name: "slow", log: "mod_fcgid: read data timeout in",
		query: "do=sleep&ms=3600000", around: "FcgidIOTimeout 1", status: 500,
	},
	{
		name: "large body", log: "exceeds MaxRequestLen (131072)",
		body: strings.Repeat("x", 131072+1), status: 500,
	},
}

func TestApacheFcgidErrors(t *testing.T) {
	t.Parallel()
	apache.find(t)
	probe := buildProbe(t)
	for _, m := range fcgidMishaps {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			wantExplained(t, apache, m.log)
			p := newPlace(t)
			s := apache.startingApplication(probe).run(t, p, "fcgid.conf", m.around)
			if m.script != "" {
				writeScript(t, p.path("bin/app"), m.script)
			}
			wantStatus(t, s.post(t, m.query, m.body), m.status)
			s.wantLog(t, m.log)
		})
	}
}
