package interop_test

import (
	"strings"
	"testing"
)

// Whoever adds a scenario runs the matrix again.
func TestServersPageShowsScenarios(t *testing.T) {
	t.Parallel()
	page := readFile(t, "../docs/servers.md")
	for _, sc := range scenarios {
		if !strings.Contains(page, "\n| "+sc.name+" |") {
			t.Errorf("docs/servers.md does not show %q: run `make matrix`", sc.name)
		}
	}
}
