package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "github.com/simple-fastcgi/fastcgi"
	checkout = "../.."
)

// A goPackage is one package as `go list -json` tells it, without its tests.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct
	Deps       []string // transitive
	Module     *goModule
}

type goModule struct{ Path string }

// folder is the package's place in the checkout, "." for the root package. ok is false outside this module.
func folder(importPath string) (dir string, ok bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// packages lists this module's packages and everything they import, as built for goos.
func packages(t *testing.T, goos string) []goPackage {
	t.Helper()
	out := run(t, checkout, []string{"GOOS=" + goos},
		"go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps,Module", "./...")
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatalf("go list printed something else than packages: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}

// run returns what a command prints on its standard output, and fails the test with all it printed when it fails.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = slices.Concat(cmd.Environ(), env)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String()
}
