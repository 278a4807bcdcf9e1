package interop_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fencedBlock is a configuration in a Markdown page.
var fencedBlock = regexp.MustCompile("(?m)^```(apache|caddyfile|haproxy|ini|lighttpd|nginx|yaml)\n((?s:.*?)\n)```$")

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

// A printedTest tests what some configurations are printed for. Its probe is the reference application's program.
type printedTest struct {
	files []string
	run   func(t *testing.T, probe string)
}

// testPrinted runs the tests of a page's configurations, which have to be all that it prints.
func (w *webServer) testPrinted(t *testing.T, tests []printedTest) {
	t.Parallel()
	wantPrinted(t, w.name)
	w.find(t)
	probe := buildProbe(t)
	untested := configurations(t, w.name)
	for _, tt := range tests {
		untested = slices.DeleteFunc(untested, func(name string) bool { return slices.Contains(tt.files, name) })
		t.Run(strings.Join(tt.files, ", "), func(t *testing.T) { tt.run(t, probe) })
	}
	if len(untested) > 0 {
		t.Errorf("no test runs %q in docs/%s", untested, w.name)
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

// wantExplained fails the test unless a web server's page has a line of its error log.
func wantExplained(t *testing.T, server *webServer, line string) {
	t.Helper()
	if page := filepath.Join("..", "docs", server.name+".md"); !strings.Contains(readFile(t, page), "`"+line) {
		t.Errorf("%s does not explain %s", page, line)
	}
}
