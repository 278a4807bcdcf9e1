package interop_test

import (
	"net/http"
	"syscall"
	"testing"
)

// The page's files, each put in the place of Debian's own, and Debian's unit, with its user and its ports.
func TestCaddyDebian(t *testing.T) {
	t.Parallel()
	caddy.find(t)
	probe := buildProbe(t)
	for file, tt := range map[string]struct {
		port, local string
		header      http.Header
		want        map[string]string
	}{
		"minimal.Caddyfile": {
			port: "80",
			want: map[string]string{"PATH_INFO": "/", "SCRIPT_NAME": "", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1"},
		},
		"internal.Caddyfile": {
			port: "443",
			want: map[string]string{"HTTPS": "on", "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/2.0", "SSL_PROTOCOL": "TLSv1.3"},
		},
		"realip.Caddyfile": {
			port: "80", local: "192.0.2.10",
			header: http.Header{"X-Forwarded-For": {"198.51.100.66, 203.0.113.7"}},
			want:   map[string]string{"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": ""},
		},
	} {
		t.Run(file, func(t *testing.T) {
			h := newHost(t)
			h.run(t, "ip", "address", "add", "192.0.2.10", "dev", "lo")
			h.clear(t, "/run", "root")
			h.clear(t, "/var/lib/caddy", "caddy")
			h.install(t, "../docs/caddy/"+file, "/etc/caddy/Caddyfile")
			h.activate(t, "caddy", probe)
			command, user := unitCommand(t, "caddy.service")
			cmd := h.as(user, command...)
			cmd.Env = []string{"HOME=/var/lib/caddy", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
			server := start(t, syscall.SIGTERM, cmd)
			h.awaitPort(t, server, "80")
			s := h.site(t, caddy, "app.example.com", tt.port, tt.local)
			req := s.request(t, http.MethodGet, "", nil)
			for name, values := range tt.header {
				req.Header[name] = values
			}
			var a answer
			eventually(t, "Caddy has made a certificate, if need be", func() bool {
				var err error
				a, err = s.try(req)
				return err == nil
			})
			wantParams(t, params(t, a), tt.want)
		})
	}
}
