//go:build unix

package interop_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

var haproxyMishaps = []mishap{
	{
		name: "not started", log: "SC--", status: 503,
		around: "retries 0",
	},
	{
		name: "crash", log: "SH--", status: 502,
		serve: func(t *testing.T, p *place) {
			l, err := net.Listen("tcp", p.tcp)
			if err != nil {
				t.Fatal(err)
			}
			closeWhenSilent(t, l)
		},
	},
	{
		name: "slow", log: "sH--", status: 504,
		serve:  onPort(hang),
		around: "timeout server 100ms",
	},
	{
		name: "no answer", log: "sH--", status: 504,
		serve:  onPort(noAnswer),
		around: "timeout server 100ms",
	},
	{
		name: "refused", log: "sH--", status: 504,
		serve:  func(t *testing.T, p *place) { serve(t, noResponder(), "tcp:"+p.tcp) },
		around: "timeout server 100ms",
	},
	{
		name: "silent within the body", log: "sD--",
		serve:  onPort(hangWithin),
		around: "timeout server 1s",
		ask:    breaksOff,
	},
	{
		name: "short body", log: "sD--",
		serve:  onPort(shortBody),
		around: "timeout server 1s", // for the header as well, on a busy machine
		ask:    breaksOff,
	},
	{
		name: "long body", log: "PH-- ", status: 502,
		serve: onPort(longBody),
	},
	{
		name: "no header", log: "PH-- ", status: 502,
		serve: onPort(noHeader),
	},
	{
		name: "large header", log: "PH-- ", status: 502,
		serve: onPort(largeHeader(16 << 10)),
	},
	{
		name: "body of unknown length", log: "PH-- ",
		serve: onPort(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			_ = fastcgi.SendResponse(w, 200, "text/plain", "ok\n")
		}),
		ask: func(t *testing.T, s *site) {
			// It answers while the body is on its way, and net/http may find that it cannot send the rest of that first.
			eventually(t, "the body is refused", func() bool {
				a, err := s.try(s.request(t, http.MethodPost, "", noise(20_000)))
				return err == nil && a.StatusCode == 400
			})
			wantStatus(t, s.do(t, s.request(t, http.MethodPost, "", noise(10_000))), 200)
		},
	},
	{
		name: "large request header", log: "PR--",
		ask: func(t *testing.T, s *site) {
			req := s.request(t, http.MethodGet, "", nil)
			req.Header.Set("X-Large", strings.Repeat("x", 15800))
			wantStatus(t, s.do(t, req), 400)
		},
	},
	{
		name: "client gone", log: "CH--",
		serve:  onPort(hang),
		around: "option abortonclose",
		ask:    leaves,
	},
	{
		name: "panic", log: "fastcgi: handler panicked:", status: 500,
		serve: onPort(panics),
	},
}

func TestHAProxyErrors(t *testing.T) {
	t.Parallel()
	haproxy.find(t)
	for _, m := range haproxyMishaps {
		t.Run(m.name, func(t *testing.T) { m.happenWith(t, haproxy, "minimal.cfg") })
	}
}
