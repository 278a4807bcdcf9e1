package websocket_test

import (
	"strings"
	"testing"
)

// The page prints the configurations that are tested.
func TestPrinted(t *testing.T) {
	page := readFile(t, "../../docs/websockets.md")
	for _, config := range []string{"lighttpd.conf", "lighttpd-tls.conf"} {
		if !strings.Contains(page, "```lighttpd\n"+printed(t, config)+"```\n") {
			t.Errorf("docs/websockets.md does not print %s as it is", config)
		}
	}
}
