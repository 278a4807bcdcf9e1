package house_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// platforms are those that go vet also looks at; a file for one of them could break a rule that the others keep.
var platforms = []string{"linux", "openbsd", "freebsd", "darwin", "windows"}

func TestImports(t *testing.T) {
	for _, goos := range platforms {
		t.Run(goos, func(t *testing.T) {
			pkgs := packages(t, goos)
			for _, rule := range []func([]goPackage) []string{misplaced, doingIO, beyondStandard} {
				for _, complaint := range rule(pkgs) {
					t.Error(complaint)
				}
			}
		})
	}
}

// ioPackages are the ways to the outside world, to other goroutines and to the clock that protocol must do without,
// subpackages included: it is bytes in, events out.
var ioPackages = []string{"context", "log", "net", "os", "sync", "syscall", "time"}

// doingIO says which imports of the protocol's packages are I/O, or not of the standard library.
func doingIO(pkgs []goPackage) (complaints []string) {
	standard := make(map[string]bool)
	for _, p := range pkgs {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range pkgs {
		dir, ok := folder(p.ImportPath)
		if l, _ := layerOf(dir); !ok || l.folder != "protocol" {
			continue
		}
		for _, imp := range p.Imports {
			top, _, _ := strings.Cut(imp, "/")
			_, own := folder(imp)
			if slices.Contains(ioPackages, top) || !own && !standard[imp] {
				complaints = append(complaints, fmt.Sprintf("%s imports %s; the protocol does no I/O and stands on the standard library alone", dir, imp))
			}
		}
	}
	return complaints
}

// beyondStandard says which packages of the library depend, directly or not, on other modules than x/sys.
func beyondStandard(pkgs []goPackage) (complaints []string) {
	byPath := make(map[string]goPackage)
	for _, p := range pkgs {
		byPath[p.ImportPath] = p
	}
	for _, p := range pkgs {
		dir, ok := folder(p.ImportPath)
		if l, _ := layerOf(dir); !ok || !l.library {
			continue
		}
		for _, dep := range p.Deps {
			if !byPath[dep].allowedInLibrary() {
				complaints = append(complaints, fmt.Sprintf("%s depends on %s; the library depends on the standard library and golang.org/x/sys only", dir, dep))
			}
		}
	}
	return complaints
}

func (p goPackage) allowedInLibrary() bool {
	if p.Standard {
		return true
	}
	return p.Module != nil && (p.Module.Path == module || p.Module.Path == "golang.org/x/sys")
}

func TestIOIsSeen(t *testing.T) {
	for imp, want := range map[string]int{
		"errors":                      0,
		"encoding/binary":             0,
		module + "/protocol/wire":     0,
		"net":                         1,
		"net/http":                    1,
		"os/exec":                     1,
		"sync/atomic":                 1,
		"time":                        1,
		"context":                     1,
		"golang.org/x/sys/unix":       1,
		"example.org/timekeeper/time": 1,
	} {
		std := goPackage{ImportPath: imp, Standard: !strings.Contains(imp, ".")}
		for dir, want := range map[string]int{"/protocol": want, "/protocol/wire": want, "/client": 0} {
			got := doingIO([]goPackage{std, {ImportPath: module + dir, Imports: []string{imp}}})
			if len(got) != want {
				t.Errorf("%s importing %s: complaints %q, want %d", dir, imp, got, want)
			}
		}
	}
}

func TestBeyondStandardIsSeen(t *testing.T) {
	pkgs := []goPackage{
		{ImportPath: "net/http", Standard: true},
		{ImportPath: "golang.org/x/sys/unix", Module: &goModule{"golang.org/x/sys"}},
		{ImportPath: "example.org/progress", Module: &goModule{"example.org/progress"}},
		{ImportPath: module + "/protocol", Module: &goModule{module}},
	}
	for dep, want := range map[string]int{
		"net/http":              0,
		"golang.org/x/sys/unix": 0,
		module + "/protocol":    0,
		"example.org/progress":  1,
		"example.org/unheardof": 1,
	} {
		for dir, want := range map[string]int{"": want, "/internal/loop": want, "/gateway": want, "/cmd/fcgi": 0, "/bench": 0} {
			got := beyondStandard(append(pkgs, goPackage{
				ImportPath: module + dir,
				Deps:       []string{dep},
				Module:     &goModule{module},
			}))
			if len(got) != want {
				t.Errorf("%q depending on %s: complaints %q, want %d", dir, dep, got, want)
			}
		}
	}
}
