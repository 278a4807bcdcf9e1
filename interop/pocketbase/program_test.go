package pocketbase_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	// The library is in the programs that are built here: a test that passed with another version of it passes anew.
	_ "github.com/simple-fastcgi/fastcgi/fcgi"
	"github.com/simple-fastcgi/fastcgi/internal/programs"
	"github.com/simple-fastcgi/fastcgi/interop/pocketbase"
)

// A program is PocketBase's own, as its authors distribute it, or with its listener's line changed.
type program string

// build returns PocketBase as it is, and as serve.diff has it.
func build(t *testing.T) (original, changed program) {
	t.Helper()
	readFile(t, "serve.diff") // tells the go command that this test depends on it
	first, second, err := pocketbase.Build(t.Context(), programs.RaceDetector())
	if err != nil {
		t.Fatal(err)
	}
	return program(first), program(second)
}

// source returns the folder where PocketBase's source is.
func source(t *testing.T) string {
	t.Helper()
	dir, err := pocketbase.Source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a command to its end.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
