package pocketbase_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	// The library is in the programs that are built here: a test that passed with another version of it passes anew.
	_ "github.com/simple-fastcgi/fastcgi/fcgi"
)

// pocketBase is the application's module, at the version that go.mod says.
const pocketBase = "github.com/pocketbase/pocketbase"

// A program is PocketBase's own, as its authors distribute it, or with its listener's line changed.
type program string

// build returns PocketBase as it is, and as serve.diff has it.
func build(t *testing.T) (original, changed program) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	if err := os.CopyFS(source, os.DirFS(download(t))); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "go.work")
	write(t, work, fmt.Sprintf("go 1.25.0\nuse %q\nuse %q\n", source, absolute(t, "../..")))
	// Trimmed, the result can come from the build cache though the folder is another one.
	compile := func(name string) program {
		path := filepath.Join(dir, name)
		run(t, source, []string{"GOWORK=" + work}, "go", "build", "-buildvcs=false", "-trimpath",
			fmt.Sprintf("-race=%v", raceDetector()), "-o", path, "./examples/base")
		return program(path)
	}
	original = compile("original")
	readFile(t, "serve.diff") // tells the go command that this test depends on it
	run(t, source, nil, "patch", "--strip=1", "--fuzz=0", "--input", absolute(t, "serve.diff"))
	return original, compile("changed")
}

// download returns the folder where the module proxy's copy of PocketBase is.
func download(t *testing.T) string {
	t.Helper()
	var module struct{ Dir string }
	if err := json.Unmarshal(run(t, ".", nil, "go", "mod", "download", "-json", pocketBase), &module); err != nil {
		t.Fatal(err)
	}
	return module.Dir
}

// raceDetector reports whether this test was built with -race.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// run runs a command to its end, and returns what it printed.
func run(t *testing.T, dir string, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, complaints.String())
	}
	return out
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
