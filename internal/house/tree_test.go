package house_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	longFile    = 500 // lines: worth a thought whether it is one thing or several
	tooLongFile = 800 // lines: it is several
)

// tree returns every file and folder of the checkout, slash-separated and relative to it, build output left out.
//
// It is also what keeps `go test` from answering with a result of yesterday: the go command knows that this package
// depends on every folder read here, and not on what the commands of other tests read.
func tree(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(checkout, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(checkout, path)
		if err != nil {
			return err
		}
		if rel == ".git" || rel == "bin" {
			if !d.IsDir() {
				return nil // the .git of a linked work tree
			}
			return fs.SkipDir
		}
		paths = append(paths, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// nowhere are the names that say nothing about what is inside.
var nowhere = []string{"util", "utils", "common", "lib", "libs", "helper", "helpers", "misc"}

// saysNothing reports whether the last element of path has a word of nowhere in it: util, net_util.go, helpers_test.go.
func saysNothing(path string) bool {
	words := strings.FieldsFunc(path[strings.LastIndexByte(path, '/')+1:], func(r rune) bool {
		return strings.ContainsRune("_-.", r)
	})
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains(nowhere, strings.ToLower(word))
	})
}

func TestNamesSaySomething(t *testing.T) {
	for _, path := range tree(t) {
		if saysNothing(path) {
			t.Errorf("%s: name it by what it does; what has no better name has no home yet", path)
		}
	}
}

func TestNamesThatSayNothingAreSeen(t *testing.T) {
	for path, want := range map[string]bool{
		"internal/util":            true,
		"client/util.go":           true,
		"client/net_util.go":       true,
		"client/Helpers_test.go":   true,
		"internal/util/accept.go":  false, // its folder is reported once
		"interop/libfcgi_test.go":  false,
		"internal/loop/utility.go": false,
		".":                        false,
	} {
		if got := saysNothing(path); got != want {
			t.Errorf("saysNothing(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, path := range tree(t) {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(checkout, path))
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n"))
		switch {
		case lines >= tooLongFile:
			t.Errorf("%s has %d lines; split it by what its parts do before %d", path, lines, tooLongFile)
		case lines > longFile:
			t.Logf("%s has %d lines: one thing, or several?", path, lines)
		}
	}
}
