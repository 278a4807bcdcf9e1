//go:build linux

package main

import (
	"bytes"
	"fmt"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// writeGoals writes what the client is to reach beside what it did, as far as that was
// measured.
func (r *report) writeGoals(b *bytes.Buffer) {
	rows := [][]string{{"goal", "measured", "reached"}}
	goal := func(text, measured string, reached bool) {
		verdict := "no"
		if reached {
			verdict = "yes"
		}
		rows = append(rows, []string{text, measured, verdict})
	}
	kept, ok := r.find("kept", oursID)
	if gofast, both := r.find("kept", "gofast"); ok && both {
		share := float64(cost(gofast.Figures)) / float64(cost(kept.Figures))
		goal("a call on a kept connection costs a twelfth of gofast's at most", fmt.Sprintf("1/%.1f", share), share >= 12)
	}
	if shared, both := r.find("mux-16", oursID); ok && both {
		share := float64(cost(shared.Figures)) / float64(cost(kept.Figures))
		goal("one of 16 calls that share a connection costs half of that at most", fmt.Sprintf("%.2f", share), share <= 0.5)
	}
	for _, res := range r.results {
		if res.server > 0 {
			share := res.rate / res.server
			goal(res.work.title+": at least 90 % of the server's own rate", fmt.Sprintf("%.0f %%", 100*share), share >= 0.9)
		}
	}
	for _, kind := range []string{"answer", "body"} {
		small, ok := r.find(kind+"-1m", oursID)
		large, both := r.find(kind+"-1g", oursID)
		if !ok || !both {
			continue
		}
		measured := harness.Size(small.Peak) + ", " + harness.Size(large.Peak)
		goal("peak memory is the same with 1 GiB as with 1 MiB: "+kind, measured, float64(large.Peak) <= 1.1*float64(small.Peak))
	}
	if len(rows) > 1 {
		b.WriteString("\n## Goals\n\n")
		harness.WriteTable(b, rows)
	}
}
