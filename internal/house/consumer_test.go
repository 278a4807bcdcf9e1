package house_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// oldestGo is the release that the library still builds with. A dependency that asks for a later one raises the go
// line of go.mod without a word, and with it that of every consumer.
const oldestGo = "1.25.0"

// A consumer is a module of somebody else that uses this checkout.
type consumer struct {
	dir   string
	cache string   // its module cache, empty at first
	env   []string // for its go commands
}

// newConsumer makes a module around one main.go.
//
// Its modules come from this machine's module cache and go to one of its own, so that a build needs no network and
// what it had to download can be counted. Checksums are not its subject: the files were verified on their way in.
func newConsumer(t *testing.T, program string) consumer {
	t.Helper()
	root, err := filepath.Abs(checkout)
	if err != nil {
		t.Fatal(err)
	}
	packages(t, runtime.GOOS) // brings what this module needs into this machine's cache
	machine := strings.TrimSpace(run(t, checkout, nil, "go", "env", "GOMODCACHE"))

	c := consumer{dir: t.TempDir(), cache: t.TempDir()}
	c.env = []string{
		"GOPROXY=" + fileURL(filepath.Join(machine, "cache", "download")),
		"GOMODCACHE=" + c.cache,
		"GOFLAGS=-mod=mod -modcacherw",
		"GOSUMDB=off",
		"GOWORK=off",
	}
	c.write(t, "go.mod", fmt.Sprintf("module example.org/consumer\n\ngo %s\n\nrequire %s v0.0.0\n\nreplace %[2]s => %q\n", oldestGo, module, root))
	c.write(t, "main.go", program)
	return c
}

func (c consumer) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c consumer) build(t *testing.T) {
	t.Helper()
	run(t, c.dir, c.env, "go", "build", "-o", os.DevNull, ".")
}

// downloaded returns the modules of which the build fetched anything, be it only the go.mod.
func (c consumer) downloaded(t *testing.T) []string {
	t.Helper()
	var modules []string
	err := fs.WalkDir(os.DirFS(c.cache), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, versions := strings.CutSuffix(path, "/@v")
		if versions {
			modules = append(modules, strings.TrimPrefix(name, "cache/download/"))
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return modules
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/...
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

const rootProgram = `package main

import "github.com/simple-fastcgi/fastcgi"

func main() {
	var s fastcgi.Server
	_ = s
}
`

// everyPackage is a program that imports all that the library offers.
func everyPackage(t *testing.T) string {
	t.Helper()
	program := "package main\n\n"
	for _, p := range packages(t, runtime.GOOS) {
		dir, ok := folder(p.ImportPath)
		if l, _ := layerOf(dir); ok && l.library && !strings.HasPrefix(l.folder, "internal") {
			program += fmt.Sprintf("import _ %q\n", p.ImportPath)
		}
	}
	return program + "\nfunc main() {}\n"
}

func TestConsumerNeedsOnlyTheLibrary(t *testing.T) {
	for name, program := range map[string]string{
		"root package":  rootProgram,
		"every package": everyPackage(t),
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsumer(t, program)
			c.build(t)
			if got := strings.TrimSpace(run(t, c.dir, c.env, "go", "list", "-m", "-f", "{{.GoVersion}}")); got != oldestGo {
				t.Errorf("building it raised its go line from %s to %s", oldestGo, got)
			}
			for _, m := range c.downloaded(t) {
				if m != "golang.org/x/sys" {
					t.Errorf("building it had to fetch %s; only golang.org/x/sys is the library's", m)
				}
			}
			for m := range strings.FieldsSeq(run(t, c.dir, c.env, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")) {
				if m != "example.org/consumer" && m != module && m != "golang.org/x/sys" {
					t.Errorf("its program has packages of %s in it", m)
				}
			}
		})
	}
}
