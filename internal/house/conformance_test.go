package house_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requirements are the rows that docs/conformance.md must have.
func requirements() (names []string) {
	for i := 1; i <= 47; i++ {
		names = append(names, fmt.Sprintf("A%d", i))
	}
	for _, i := range []int{1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 19} {
		names = append(names, fmt.Sprintf("F%d", i))
	}
	for i := 1; i <= 25; i++ {
		names = append(names, fmt.Sprintf("W%d", i))
	}
	for _, i := range []int{3, 7, 15} {
		names = append(names, fmt.Sprintf("X%d", i))
	}
	return names
}

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
)

// Every requirement has a row in docs/conformance.md that names a test, and every test that the page names is there.
func TestConformanceNamesTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(checkout, "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			rows[strings.TrimSpace(cells[1])] = cells[3]
		}
	}
	for _, name := range requirements() {
		if !testName.MatchString(rows[name]) {
			t.Errorf("%s has no test in docs/conformance.md", name)
		}
	}
	defined := testsIn(t)
	for _, test := range testName.FindAllSubmatch(page, -1) {
		if !defined[string(test[1])] {
			t.Errorf("docs/conformance.md names %s, which is not there", test[1])
		}
	}
}

// testsIn returns the names of all tests and fuzz targets.
func testsIn(t *testing.T) map[string]bool {
	names := map[string]bool{}
	for _, path := range tree(t) {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(checkout, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range testFunc.FindAllSubmatch(b, -1) {
			names[string(match[1])] = true
		}
	}
	return names
}
