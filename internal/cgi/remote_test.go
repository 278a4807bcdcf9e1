package cgi_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestRemoteAddr(t *testing.T) {
	for _, tt := range []struct{ addr, port, want string }{
		{"192.0.2.7", "1234", "192.0.2.7:1234"},
		{"192.0.2.7", "", "192.0.2.7:0"},
		{"192.0.2.7", "65535", "192.0.2.7:65535"},
		{"192.0.2.7", "65536", "192.0.2.7:0"},
		{"192.0.2.7:5678", "", "192.0.2.7:5678"},
		{"[2001:db8::1]:5678", "1234", "[2001:db8::1]:1234"},
		{"2001:db8::1", "1234", "[2001:db8::1]:1234"},
		{"::ffff:192.0.2.7", "1234", "192.0.2.7:1234"},
		{"", "1234", "@"},
		{"unix:", "", "@"},
		{"/run/a", "0", "@"},
		{"localhost", "1", "@"},
	} {
		p := protocol.NewPairs(protocol.Pair{Name: "REMOTE_ADDR", Value: tt.addr}, protocol.Pair{Name: "REMOTE_PORT", Value: tt.port})
		if got := cgi.RemoteAddr(p).String(); got != tt.want {
			t.Errorf("%q and %q: got %s, want %s", tt.addr, tt.port, got, tt.want)
		}
	}
}

func TestLocalAddr(t *testing.T) {
	for _, tt := range []struct{ addr, port, want string }{
		{"192.0.2.7", "80", "192.0.2.7:80"},
		{"2001:db8::1", "", "[2001:db8::1]:0"},
		{"192.0.2.7", "a", "192.0.2.7:0"},
		{"", "80", ""},
		{"example.com", "80", ""},
	} {
		p := protocol.NewPairs(protocol.Pair{Name: "SERVER_ADDR", Value: tt.addr}, protocol.Pair{Name: "SERVER_PORT", Value: tt.port})
		got := ""
		if addr := cgi.LocalAddr(p); addr != nil {
			got = addr.String()
		}
		if got != tt.want {
			t.Errorf("%q and %q: got %q, want %q", tt.addr, tt.port, got, tt.want)
		}
	}
}
