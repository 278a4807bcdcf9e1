package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// A table is the matrix: a column for each web server, a row for each scenario, and notes.
type table struct {
	columns []column
	rows    []row
	notes   []string // numbered from 1
}

type column struct {
	title, page, version string
	setups               []string
}

type row struct {
	scenario string
	cells    []entry
}

// An entry is what stands in the table.
type entry struct {
	mark    string // ✓, ✗ or –; empty if the scenario was not tried
	learned float64
	notes   []int
}

func newTable(results []result) *table {
	t := &table{}
	at := make(map[[2]string][]result) // by column and scenario
	var scenarios []string
	for _, r := range results {
		c := t.column(r)
		if !slices.Contains(c.setups, r.Setup) {
			c.setups = append(c.setups, r.Setup)
		}
		if !slices.Contains(scenarios, r.Scenario) {
			scenarios = append(scenarios, r.Scenario)
		}
		key := [2]string{r.Column, r.Scenario}
		at[key] = append(at[key], r)
	}
	for _, scenario := range scenarios {
		line := row{scenario: scenario}
		for _, c := range t.columns {
			line.cells = append(line.cells, t.entry(c, at[[2]string{c.title, scenario}]))
		}
		t.rows = append(t.rows, line)
	}
	return t
}

// column returns the column of a result, a new one if need be.
func (t *table) column(r result) *column {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.title == r.Column })
	if i < 0 {
		i = len(t.columns)
		t.columns = append(t.columns, column{title: r.Column, page: r.Page, version: r.Version})
	}
	return &t.columns[i]
}

// entry returns what stands in a column for the results of one scenario: a check mark if the scenario passes in any
// setup, with a note for each in which it does not.
func (t *table) entry(c column, results []result) entry {
	var e entry
	limited := make(map[string][]string) // setups, by reason
	var reasons []string
	for _, r := range results {
		switch r.Outcome {
		case interop.Fail:
			e.mark = "✗"
			e.note(t, fmt.Sprintf("%s, %s: fails with %s", c.title, r.Setup, strings.Join(r.With, ", ")))
		case interop.Limit:
			if limited[r.Reason] == nil {
				reasons = append(reasons, r.Reason)
			}
			limited[r.Reason] = append(limited[r.Reason], r.Setup)
		case interop.Pass:
			if e.mark == "" {
				e.mark = "✓"
			}
			e.learned = max(e.learned, r.Learned)
		}
	}
	for _, reason := range reasons {
		e.note(t, c.where(limited[reason])+": "+reason)
	}
	if e.mark == "" && len(reasons) > 0 {
		e.mark = "–"
	}
	return e
}

// where names the column, and some of its setups unless they are all.
func (c column) where(setups []string) string {
	if len(setups) == len(c.setups) {
		return c.title
	}
	return c.title + " (" + strings.Join(setups, "; ") + ")"
}

// note adds a note to an entry, under the number of an equal one if there is one.
func (e *entry) note(t *table, text string) {
	i := slices.Index(t.notes, text)
	if i < 0 {
		i = len(t.notes)
		t.notes = append(t.notes, text)
	}
	e.notes = append(e.notes, i+1)
}
