//go:build linux

package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// writeFiles writes what the run found into the checkout.
func (r *report) writeFiles(root string) error {
	plot, err := r.plot()
	if err != nil {
		return err
	}
	for path, text := range map[string][]byte{
		"bench/RESULTS.md":     r.markdown(),
		"docs/performance.svg": plot,
	} {
		if err := os.WriteFile(filepath.Join(root, path), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

const preamble = `# What a request costs

The last whole run of ` + "`make bench-peers`" + `, which writes this file. CPU/request is the CPU time of the server's
processes; "over floor" is that as a ratio to a program in C that looks at record headers only and sends a canned answer, in the
same run. Server and load have a processor each. Every answer was verified. Of a server of several processes, peak
memory is what they have together at the end, pages that they share counted once.

`

// markdown is the report for people.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(preamble)
	m := r.Machine
	fmt.Fprintf(&b, "%s, %s, Linux %s, %s, commit %s.\n", m.Date, m.CPU, m.Kernel, m.System, m.Commit)
	b.WriteString("\n![CPU time of a request](../docs/performance.svg)\n")
	for _, w := range works {
		r.markdownWork(&b, w)
	}
	b.WriteString("\n## Versions\n\n")
	for _, name := range slices.Sorted(maps.Keys(r.Programs)) {
		fmt.Fprintf(&b, "- %s: %s\n", name, r.Programs[name])
	}
	for _, part := range []struct {
		title   string
		remarks []remark
	}{{"Missing", r.Missing}, {"Failed", r.Failed}} {
		markdownRemarks(&b, part.title, part.remarks)
	}
	return b.Bytes()
}

// markdownWork is the table of one work.
func (r *report) markdownWork(b *bytes.Buffer, w work) {
	results := r.of(w.id)
	if len(results) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", w.id, strings.ToUpper(w.title[:1])+w.title[1:])
	rows := [][]string{columns}
	for _, res := range results {
		rows = append(rows, res.cells())
	}
	harness.WriteTable(b, rows)
	for _, g := range r.Gaps {
		if g.Work == w.id {
			fmt.Fprintf(b, "\nNot %s: %s.\n", g.Peer, g.Reason)
		}
	}
}

func markdownRemarks(b *bytes.Buffer, title string, remarks []remark) {
	if len(remarks) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, m := range merged(remarks) {
		fmt.Fprintf(b, "- %s\n", m)
	}
}
