package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goBlock is a fenced block of Go in a Markdown page.
var goBlock = regexp.MustCompile("(?m)^```go\n((?s:.*?)\n)```$")

// A page prints complete programs as the examples have them, byte for byte: those are tested.
func TestPagesPrintTheExamples(t *testing.T) {
	examples := map[string]string{} // by what they hold
	for _, name := range glob(t, "examples", "*", "main.go") {
		examples[readAll(t, name)] = name
	}
	var printed []string
	for _, page := range glob(t, "docs", "*.md") {
		for _, block := range goBlock.FindAllStringSubmatch(readAll(t, page), -1) {
			if !strings.Contains("\n"+block[1], "\npackage main\n") || !strings.Contains(block[1], "\nfunc main() {") {
				continue
			}
			name, ok := examples[block[1]]
			if !ok {
				t.Errorf("%s prints a program that is no main.go in examples:\n%.300s", page, block[1])
			}
			printed = append(printed, name)
		}
	}
	for _, name := range []string{"longpoll", "fanout"} {
		if !slices.Contains(printed, filepath.Join(checkout, "examples", name, "main.go")) {
			t.Errorf("no page prints examples/%s/main.go as it is", name)
		}
	}
}

func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(append([]string{checkout}, pattern...)...))
	if err != nil || len(names) == 0 {
		t.Fatalf("there is no %s: %v", filepath.Join(pattern...), err)
	}
	return names
}

func readAll(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
