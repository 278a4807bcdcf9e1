package interop_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// fencedBlock is a configuration in a Markdown page.
var fencedBlock = regexp.MustCompile("(?m)^```(nginx|ini)\n((?s:.*?)\n)```$")

// wantPrinted fails the test unless a page prints the configurations in its folder, all of them, byte for byte, and no
// others.
func wantPrinted(t *testing.T, server string) {
	t.Helper()
	page := readFile(t, filepath.Join("..", "docs", server+".md"))
	var blocks []string
	for _, match := range fencedBlock.FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, match[2])
	}
	for _, name := range configurations(t, server) {
		i := slices.Index(blocks, printed(t, server, name))
		if i < 0 {
			t.Errorf("docs/%s.md does not print %s as it is", server, name)
			continue
		}
		blocks = slices.Delete(blocks, i, i+1)
	}
	for _, block := range blocks {
		t.Errorf("docs/%s.md prints what is no file in docs/%[1]s, so nothing runs it:\n%s", server, block)
	}
}

// configurations returns the names of the files in a page's folder.
func configurations(t *testing.T, server string) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("..", "docs", server))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}
