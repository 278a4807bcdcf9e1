//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

var columns = []string{"peer", "CPU/request", "over floor", "requests/s", "p50", "p99", "peak memory", "memory each"}

// cells are a result as a row of the columns.
func (r result) cells() []string {
	cells := []string{r.Peer, "-", "-", "-", "-", "-", harness.Size(r.Peak), "-"}
	if r.CPU > 0 {
		cells[1], cells[3] = harness.Duration(r.CPU), fmt.Sprintf("%.*f", decimals(r.Rate), r.Rate)
		cells[4], cells[5] = harness.Duration(r.P50), harness.Duration(r.P99)
	} else {
		cells[7] = harness.Size(r.Each)
	}
	if r.Ratio > 0 {
		cells[2] = fmt.Sprintf("%.2f", r.Ratio)
	}
	return cells
}

// decimals are how many a rate needs so that a slow one is not zero.
func decimals(rate float64) int {
	if rate < 10 {
		return 1
	}
	return 0
}

// print writes the table for a terminal, and what is not in it.
func (r *report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(w, "%s\t", c)
		}
		fmt.Fprintln(w)
	}
	row(append([]string{"work"}, columns...))
	for _, wk := range works {
		for _, res := range r.of(wk.id) {
			row(append([]string{wk.id}, res.cells()...))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return r.printRemarks(out)
}

func (r *report) printRemarks(out io.Writer) error {
	for _, part := range []struct {
		title   string
		remarks []remark
	}{{"Not measured", r.Gaps}, {"Missing", r.Missing}, {"Failed", r.Failed}} {
		if len(part.remarks) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s:\n", part.title)
		for _, m := range merged(part.remarks) {
			if _, err := fmt.Fprintf(out, "  %s\n", m); err != nil {
				return err
			}
		}
	}
	return nil
}
