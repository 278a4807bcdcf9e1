package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// text prints the table for a terminal.
func (t *table) text(out io.Writer) error {
	if len(t.columns) == 0 {
		_, err := fmt.Fprintln(out, "No web server was tested: see `make deps` for what is missing.")
		return err
	}
	var b strings.Builder
	for _, line := range align(t.grid(plain)) {
		b.WriteString(strings.TrimRight(strings.Join(line, "  "), " ") + "\n")
	}
	b.WriteString("\n")
	for i, note := range t.notes {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, note)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// grid returns the table as texts, with heads.
func (t *table) grid(show func(entry) string) [][]string {
	head, versions := []string{""}, []string{"version"}
	for _, c := range t.columns {
		head, versions = append(head, c.title), append(versions, c.version)
	}
	grid := [][]string{head, versions}
	for _, r := range t.rows {
		line := []string{r.scenario}
		for _, e := range r.cells {
			line = append(line, show(e))
		}
		grid = append(grid, line)
	}
	return grid
}

// plain shows an entry on a terminal: "✓ at once [1,2]".
func plain(e entry) string { return join(e, "[", ",", "]") }

// marked shows it in Markdown, where the notes are small.
func marked(e entry) string { return join(e, "<sup>", " ", "</sup>") }

func join(e entry, before, between, after string) string {
	text := e.mark
	switch {
	case e.learned > soon:
		text += fmt.Sprintf(" within %.0f s", e.learned)
	case e.learned > 0:
		text += " at once"
	}
	if len(e.notes) > 0 {
		text += " " + before + strings.Trim(strings.ReplaceAll(fmt.Sprint(e.notes), " ", between), "[]") + after
	}
	return text
}

// align fills texts up, so that columns are columns.
func align(grid [][]string) [][]string {
	widths := make([]int, len(grid[0]))
	for _, line := range grid {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, line := range grid {
		for i, text := range line {
			line[i] += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		}
	}
	return grid
}

// markdown returns the table for the page.
func (t *table) markdown() string {
	grid := t.grid(marked)
	for i, c := range t.columns {
		grid[0][i+1] = fmt.Sprintf("[%s](%s.md)", c.title, c.page)
	}
	var b strings.Builder
	for i, line := range grid {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(line)) + "\n")
		}
	}
	b.WriteString("\n")
	for i, note := range t.notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, note)
	}
	b.WriteString("\nEach column stands for all setups that were tried:\n\n")
	for _, c := range t.columns {
		fmt.Fprintf(&b, "- %s: %s\n", c.title, strings.Join(c.setups, "; "))
	}
	return b.String()
}
