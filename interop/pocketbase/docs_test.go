package pocketbase_test

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/interop/pocketbase"
)

// The page prints the change that is tested, and names the version.
func TestPrinted(t *testing.T) {
	page := readFile(t, "../../docs/migrating.md")
	if !strings.Contains(page, "```diff\n"+readFile(t, "serve.diff")+"```\n") {
		t.Error("docs/migrating.md does not print serve.diff as it is")
	}
	for line := range strings.Lines(readFile(t, "go.mod")) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), pocketbase.Module+" "); ok {
			version = strings.TrimSuffix(version, " // indirect")
			if !strings.Contains(page, version) {
				t.Errorf("docs/migrating.md does not name PocketBase %s", version)
			}
			return
		}
	}
	t.Errorf("go.mod does not require %s", pocketbase.Module)
}
