package house_test

import (
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readmeLines is how long the README's complete program may be: what a newcomer reads at a glance.
const readmeLines = 15

// firstGoBlock returns what stands in the first fenced block of Go in a Markdown text.
func firstGoBlock(markdown string) (program string, ok bool) {
	_, rest, ok := strings.Cut("\n"+markdown, "\n```go\n")
	if !ok {
		return "", false
	}
	program, _, ok = strings.Cut(rest, "\n```")
	return program + "\n", ok
}

func TestReadmeProgramIsShortAndBuilds(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(checkout, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	program, ok := firstGoBlock(strings.ReplaceAll(string(text), "\r\n", "\n"))
	if !ok {
		t.Fatal("README.md shows no program: it has no block that starts with ```go")
	}
	if n := strings.Count(program, "\n"); n > readmeLines {
		t.Errorf("README.md's program has %d lines, more than %d", n, readmeLines)
	}
	formatted, err := format.Source([]byte(program))
	if err != nil {
		t.Fatalf("README.md's program: %v", err)
	}
	if string(formatted) != program {
		t.Errorf("README.md's program is not as gofmt has it:\n%s", formatted)
	}
	newConsumer(t, program).build(t)
}
