package interop_test

import "testing"

// linuxFronts are the fronts that interop has on Linux only.
var linuxFronts = map[string]func(*testing.T, []httpCase) front{
	"lighttpd": behind(lighttpd, "unix", "server.max-request-field-size = 32768\nserver.max-keep-alive-idle = 1", "minimal.conf"),
	// HAProxy takes an answer that ends without a header for one that is still to come.
	"haproxy": behind(haproxy, "tcp", "timeout server 2s\nglobal\n\ttune.bufsize 65536\n\ttune.http.maxhdr 200", "minimal.cfg"),
}
