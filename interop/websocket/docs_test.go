package websocket_test

import (
	"strings"
	"testing"
)

// The page prints the configurations that are tested.
func TestPrinted(t *testing.T) {
	page := readFile(t, "../../docs/websockets.md")
	for config, language := range map[string]string{
		"lighttpd.conf": "lighttpd", "lighttpd-tls.conf": "lighttpd", "nginx.conf": "nginx", "apache.conf": "apache", "Caddyfile": "caddyfile",
	} {
		if !strings.Contains(page, "```"+language+"\n"+printed(t, config)+"```\n") {
			t.Errorf("docs/websockets.md does not print %s as it is", config)
		}
	}
}
