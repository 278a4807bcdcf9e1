//go:build linux

package harness

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// WriteTable writes rows as a table in Markdown, the first as its head. Columns that
// have "-" for all rows are left out.
func WriteTable(b *bytes.Buffer, rows [][]string) {
	rows = withoutEmpty(rows)
	row := func(cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	row(rows[0])
	row(append([]string{":--"}, slices.Repeat([]string{"--:"}, len(rows[0])-1)...))
	for _, cells := range rows[1:] {
		row(cells)
	}
}

// withoutEmpty leaves out the columns that have no figure.
func withoutEmpty(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for column := range rows[0] {
		empty := !slices.ContainsFunc(rows[1:], func(r []string) bool { return r[column] != "-" })
		for i, r := range rows {
			if !empty {
				out[i] = append(out[i], r[column])
			}
		}
	}
	return out
}
