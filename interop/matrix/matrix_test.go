package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// cells returns those of a small matrix.
func cells() []interop.Cell {
	cell := func(column, setup, mode, scenario string, outcome interop.Outcome) interop.Cell {
		return interop.Cell{
			Server: strings.ToLower(column), Column: column, Version: "1.2", Setup: setup,
			Driver: "loop", Mode: mode, Scenario: scenario, Outcome: outcome, Seconds: 1,
		}
	}
	limited := func(c interop.Cell, reason string) interop.Cell {
		c.Outcome, c.Reason = interop.Limit, reason
		return c
	}
	learned := func(c interop.Cell, s float64) interop.Cell { c.Learned = s; return c }
	return []interop.Cell{
		learned(cell("nginx", "kept", "sync", "leave", interop.Pass), 0.06),
		learned(cell("nginx", "kept", "http", "leave", interop.Pass), 2.3),
		limited(cell("nginx", "kept", "sync", "echo", ""), "stops"),
		limited(cell("nginx", "not kept", "sync", "leave", ""), "hides it"),
		limited(cell("nginx", "not kept", "sync", "echo", ""), "stops"),
		learned(cell("H2O", "all", "sync", "leave", interop.Pass), 0.1),
		cell("H2O", "all", "sync", "echo", interop.Pass),
		cell("H2O", "all", "async", "echo", interop.Fail),
		cell("H2O", "all", "http", "echo", interop.Fail),
	}
}

func TestText(t *testing.T) {
	const want = `
         H2O        nginx
version  1.2        1.2
leave    ✓ at once  ✓ within 3 s [1]
echo     ✗ [2]      – [3]

  1  nginx (not kept): hides it
  2  H2O, all: fails with async/loop, http/loop
  3  nginx: stops
`
	var got strings.Builder
	if err := newTable(summarize(cells())).text(&got); err != nil {
		t.Fatal(err)
	}
	if "\n"+got.String() != want {
		t.Errorf("got\n%s\nwant%s", &got, want)
	}
}

func TestMarkdown(t *testing.T) {
	const want = `|  | [H2O](h2o.md) | [nginx](nginx.md) |
|---|---|---|
| version | 1.2 | 1.2 |
| leave | ✓ at once | ✓ within 3 s <sup>1</sup> |
| echo | ✗ <sup>2</sup> | – <sup>3</sup> |

1. nginx (not kept): hides it
2. H2O, all: fails with async/loop, http/loop
3. nginx: stops

Each column stands for all setups that were tried:

- H2O: all
- nginx: kept; not kept
`
	if got := newTable(summarize(cells())).markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The file that the tests write has a cell a line, and -json prints what they come to.
func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cells")
	var lines strings.Builder
	for _, c := range cells() {
		if err := json.NewEncoder(&lines).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(&out, path, true, false); err != nil {
		t.Fatal(err)
	}
	var got []result
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if want := summarize(cells()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBrokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cells")
	if err := os.WriteFile(path, []byte(`{"server": `), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(io.Discard, path, false, false); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestNothingTested(t *testing.T) {
	var got strings.Builder
	if err := run(&got, filepath.Join(t.TempDir(), "missing"), false, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.String(), "make deps") {
		t.Errorf("got %q", &got)
	}
}

// What is kept is the same, whoever wrote it: the page shows what matrix.json says.
func TestPageIsGenerated(t *testing.T) {
	text, err := os.ReadFile("../matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(text, &results); err != nil {
		t.Fatal(err)
	}
	if again, err := interop.Encode(results); err != nil || string(again) != string(text) {
		t.Errorf("interop/matrix.json is not as it was written: %v", err)
	}
	page, err := os.ReadFile("../../docs/servers.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := interop.ReplaceSection(string(page), command, newTable(results).markdown())
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != want {
		t.Error("docs/servers.md does not show interop/matrix.json: run `make matrix`")
	}
}
