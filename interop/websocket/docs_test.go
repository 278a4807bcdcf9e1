package websocket_test

import (
	"strings"
	"testing"
)

// The page prints the configuration that is tested.
func TestPrinted(t *testing.T) {
	page := readFile(t, "../../docs/websockets.md")
	if !strings.Contains(page, "```lighttpd\n"+readFile(t, printedLighttpd)+"```\n") {
		t.Errorf("docs/websockets.md does not print %s as it is", printedLighttpd)
	}
}
