package house_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A layer is one row of the house: the packages under a folder, and the rows that they may import besides their own.
type layer struct {
	folder  string // "." is the root package alone
	library bool   // part of what users import: nothing but the standard library and x/sys under it
	imports []string
}

// layers is the house, from the ground up: a row imports only rows above it in this list. Tests are free of it:
// those of a low layer may well use a higher one as their peer.
var layers = []layer{
	{folder: "protocol", library: true},
	{folder: "internal", library: true, imports: []string{"protocol"}},
	// The request path: what serves, and the http adapter over it.
	{folder: "internal/engine", library: true, imports: []string{"protocol", "internal"}},
	{folder: "internal/nethttp", library: true, imports: []string{"protocol", "internal", "internal/engine"}},
	{folder: "internal/house"},
	{folder: ".", library: true, imports: []string{"protocol", "internal", "internal/engine", "internal/nethttp"}},
	{folder: "fastcgitest", library: true, imports: []string{"protocol", "internal", "."}},
	{folder: "client", library: true, imports: []string{"protocol", "internal"}},
	{folder: "fcgi", library: true, imports: []string{"protocol", "internal", "."}},
	{folder: "gateway", library: true, imports: []string{"protocol", "internal", "client"}},
	// Examples are for copying, so they live on what a user can import.
	{folder: "examples", imports: []string{"protocol", ".", "client", "fcgi", "gateway"}},
	{folder: "cmd", imports: []string{"protocol", "internal", ".", "client", "fcgi", "gateway"}},
	{folder: "interop", imports: []string{"protocol", "internal", ".", "client", "fcgi", "gateway"}},
	{folder: "bench", imports: []string{"protocol", "internal", ".", "client", "fcgi", "gateway"}},
}

// layerOf returns the row of the package in dir, the most particular one where several fit.
func layerOf(dir string) (layer, bool) {
	best := -1
	for i, l := range layers {
		fits := dir == l.folder || strings.HasPrefix(dir, l.folder+"/")
		if fits && (best < 0 || len(l.folder) > len(layers[best].folder)) {
			best = i
		}
	}
	if best < 0 {
		return layer{}, false
	}
	return layers[best], true
}

// misplaced says which of this module's packages have no row, and which of their imports do not point down.
func misplaced(pkgs []goPackage) (complaints []string) {
	for _, p := range pkgs {
		dir, ok := folder(p.ImportPath)
		if !ok {
			continue
		}
		l, ok := layerOf(dir)
		if !ok {
			complaints = append(complaints, fmt.Sprintf("%s: no layer has this folder; give it a row", dir))
			continue
		}
		for _, imp := range p.Imports {
			if !l.mayImport(imp) {
				complaints = append(complaints, fmt.Sprintf("%s imports %s; layer %q may import of this module only %q",
					dir, imp, l.folder, append([]string{l.folder}, l.imports...)))
			}
		}
	}
	return complaints
}

// mayImport reports whether the layer's packages may import a package; of other modules, this rule says nothing.
func (l layer) mayImport(importPath string) bool {
	dir, ok := folder(importPath)
	if !ok {
		return true
	}
	target, ok := layerOf(dir)
	return ok && (target.folder == l.folder || slices.Contains(l.imports, target.folder))
}

func TestLayersPointDown(t *testing.T) {
	var below []string
	for _, l := range layers {
		for _, imp := range l.imports {
			if !slices.Contains(below, imp) {
				t.Errorf("layer %q imports %q, which is not below it", l.folder, imp)
			}
		}
		below = append(below, l.folder)
	}
}

func TestMisplacedIsSeen(t *testing.T) {
	for _, tt := range []struct {
		dir, imports string
		complaints   int
	}{
		{"protocol", "errors", 0},
		{"protocol", module + "/internal/pool", 1},
		{"protocol/wire", module + "/protocol", 0},
		{"internal/loop", module + "/protocol", 0},
		{"internal/loop", module + "/internal/pool", 0},
		{"internal/loop", module, 1},
		{"internal/loop", module + "/internal/house", 1},
		{".", module + "/internal/loop", 0},
		{".", module + "/client", 1},
		{".", module + "/gateway", 1},
		{".", module + "/cmd/fcgi", 1},
		{"client", module, 1},
		{"client", module + "/protocol", 0},
		{"gateway", module + "/client", 0},
		{"gateway", module, 1},
		{"fcgi", module, 0},
		{"fastcgitest", module, 0},
		{"fastcgitest", module + "/client", 1},
		{"examples/echo", module, 0},
		{"examples/echo", module + "/internal/pool", 1},
		{"cmd/fcgi", module + "/gateway", 0},
		{"cmd/fcgi", "example.org/progress", 0},
		{"clients", module + "/protocol", 1}, // no such layer, though "client" is its prefix
		{"protocol", module + "/attic", 1},
	} {
		path := strings.TrimSuffix(module+"/"+tt.dir, "/.")
		got := misplaced([]goPackage{{ImportPath: path, Imports: []string{tt.imports}}})
		if len(got) != tt.complaints {
			t.Errorf("%s importing %s: complaints %q, want %d", tt.dir, tt.imports, got, tt.complaints)
		}
	}
}

// The engine knows neither the public API nor net/http, on whatever way it might get there.
func TestEngineKnowsNoHTTP(t *testing.T) {
	for _, p := range packages(t, "linux") {
		dir, _ := folder(p.ImportPath)
		if dir == "internal/engine" && slices.Contains(p.Imports, "net/http") {
			t.Errorf("%s imports net/http", dir)
		}
	}
}
