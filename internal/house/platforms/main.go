// Platforms reports whether the module's packages and their tests are right Go for
// other systems than this one: it checks their types, and those of all that they
// import, from source. The compiler would say the same, after a minute for each.
//
//	go run ./internal/house/platforms openbsd/amd64 windows/amd64
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: platforms GOOS/GOARCH...")
		os.Exit(2)
	}
	wrong := false
	for _, platform := range os.Args[1:] {
		n, err := check(platform)
		if err != nil {
			fmt.Printf("%s: %v\n", platform, err)
			wrong = true
			continue
		}
		fmt.Printf("%s: %d packages\n", platform, n)
	}
	if wrong {
		os.Exit(1)
	}
}

// A listed package is what the go command says of one.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	ImportMap  map[string]string // what its sources call packages, where that is not their path
	DepOnly    bool
	Module     *struct{ GoVersion string }
	Error      *struct{ Err string }
}

// check checks the packages of the module in the current folder for one platform,
// and returns how many they are.
func check(platform string) (int, error) {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return 0, errors.New("want GOOS/GOARCH")
	}
	packages, err := list(goos, goarch)
	if err != nil {
		return 0, err
	}
	c := checker{
		fset:  token.NewFileSet(),
		sizes: types.SizesFor("gc", goarch),
		known: map[string]*types.Package{"unsafe": types.Unsafe},
	}
	ours := 0
	for _, p := range packages { // behind what they import
		if strings.HasSuffix(p.ImportPath, ".test") || p.ImportPath == "unsafe" {
			continue // the main package of a test does not exist before that is built
		}
		if err := c.check(p); err != nil {
			return 0, err
		}
		if !p.DepOnly {
			ours++
		}
	}
	return ours, nil
}

// list returns the module's packages, with their tests and all that they import.
func list(goos, goarch string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-test", "-json=ImportPath,Dir,GoFiles,ImportMap,DepOnly,Module,Error", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		case p.Error != nil:
			return nil, errors.New(p.Error.Err)
		}
		all = append(all, p)
	}
}

// A checker checks packages, each behind those that it imports.
type checker struct {
	fset  *token.FileSet
	sizes types.Sizes
	known map[string]*types.Package // by the go command's path
}

// check checks one package. Of those that are not the module's, which others see to,
// it needs what they declare.
func (c *checker) check(p listed) error {
	var files []*ast.File
	for _, name := range p.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		f, err := parser.ParseFile(c.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	var wrong []error
	config := types.Config{
		Importer:         imports{c, p.ImportMap},
		Sizes:            c.sizes,
		IgnoreFuncBodies: p.DepOnly,
		FakeImportC:      true,
		Error:            func(err error) { wrong = append(wrong, err) },
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		config.GoVersion = "go" + p.Module.GoVersion
	}
	path, _, _ := strings.Cut(p.ImportPath, " ") // "path [path.test]" is path as its test has it
	checked, _ := config.Check(path, c.fset, files, nil)
	if p.DepOnly {
		wrong = nil // as of functions without a body
	}
	c.known[p.ImportPath] = checked
	return errors.Join(wrong...)
}

// imports are the packages that one package knows.
type imports struct {
	*checker
	names map[string]string
}

// Import implements types.Importer.
func (i imports) Import(path string) (*types.Package, error) {
	if mapped, ok := i.names[path]; ok {
		path = mapped
	}
	if p := i.known[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s is not known", path)
}
