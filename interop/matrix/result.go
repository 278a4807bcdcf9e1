package main

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// A result is how one scenario went in one setup of a web server, with all kinds of applications that it was tried with.
type result struct {
	Column   string          `json:"column"`
	Page     string          `json:"page"`
	Version  string          `json:"version"`
	Setup    string          `json:"setup"`
	Scenario string          `json:"scenario"`
	Outcome  interop.Outcome `json:"outcome"`
	// With lists the kinds of applications that passed or, of a failure, that failed.
	With   []string `json:"with,omitempty"`
	Reason string   `json:"reason,omitempty"`
	// Learned is how many seconds the application took at most to learn that its client had left, roughly.
	Learned float64 `json:"learned,omitempty"`
}

// summarize makes one result of all cells that differ in nothing but the kind of application.
func summarize(cells []interop.Cell) []result {
	var results []result
	type place struct{ column, setup, scenario string }
	found := make(map[place]int)
	for _, c := range cells {
		at := place{c.Column, c.Setup, c.Scenario}
		i, ok := found[at]
		if !ok {
			i = len(results)
			found[at] = i
			results = append(results, result{
				Column: c.Column, Page: c.Server, Version: c.Version, Setup: c.Setup, Scenario: c.Scenario,
				Outcome: c.Outcome, Reason: c.Reason,
			})
		}
		results[i].add(c)
		results[i].Learned = max(results[i].Learned, roughly(c.Learned))
	}
	// The web servers in alphabetical order, whatever that of the tests; the rest as it came.
	slices.SortStableFunc(results, func(a, b result) int {
		return cmp.Compare(strings.ToLower(a.Column), strings.ToLower(b.Column))
	})
	return results
}

// add counts a cell in: one failure makes the whole result one.
func (r *result) add(c interop.Cell) {
	if c.Outcome == interop.Fail && r.Outcome != interop.Fail {
		r.Outcome, r.With = interop.Fail, nil
	}
	if c.Outcome == r.Outcome && c.Outcome != interop.Limit {
		r.With = append(r.With, c.Mode+"/"+c.Driver)
	}
}

// soon is less than a few of the intervals of 50 ms in which clients leave, so as good as at once.
const soon = 0.25

// roughly rounds seconds up, in steps that do not change with every run.
func roughly(seconds float64) float64 {
	if seconds > soon {
		return math.Ceil(seconds)
	}
	return min(soon, math.Ceil(seconds)) // 0 stays 0
}
