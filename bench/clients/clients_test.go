//go:build linux

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	figures "github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestQuick does all work, a little of it, with our own client, which needs no other
// module. The program fails where an answer is wrong.
func TestQuick(t *testing.T) {
	if runtime.NumCPU() < 2 {
		required.Missing(t, "the benchmark needs two processors")
	}
	var stdout, stderr bytes.Buffer
	args := []string{"-quick", "-clients", "client,transport*", "-bin", t.TempDir()}
	if err := run(t.Context(), args, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	for _, w := range works {
		_, table, found := strings.Cut(stdout.String(), "\n## "+w.id+"\n")
		table, _, _ = strings.Cut(table, "\n## ")
		if !found || !strings.Contains(table, "| client.Client |") {
			t.Errorf("%s is not among the results:\n%s", w.id, table)
		}
		if w.rate != "" && !strings.Contains(table, "the server itself") {
			t.Errorf("%s does not have the server's own rate:\n%s", w.id, table)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		says string // empty if nothing is wrong
	}{
		{[]string{"-only", "kept*,mux-16", "-clients", "client, gofast"}, ""},
		{[]string{"-only", "hullo"}, `-only "hullo" fits nothing; choose of kept, kept-1,`},
		{[]string{"-clients", "curl"}, `-clients "curl" fits nothing; choose of client, transport,`},
		{[]string{"-calls", "0"}, "at least 1"},
		{[]string{"kept"}, `what is "kept"?`},
		{[]string{"-write", "-clients", "client"}, "-write is for whole runs"},
	} {
		_, err := parse(tt.args, io.Discard)
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%q: %v", tt.args, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%q: error is %v, want one with %q", tt.args, err, tt.says)
		}
	}
}

// sample is a report of a run in which a call costs this much.
func sample(kept, gofast, shared time.Duration, server float64, large int64) *report {
	r := &report{machine: harness.Machine{CPU: "A <Fast> CPU"}, missing: []string{"nobody: away"}}
	add := func(work, caller string, cpu time.Duration, peak int64) {
		for i := range works {
			if w := &works[i]; w.id == work {
				f := figures.Figures{Calls: 10, CPU: 10 * cpu, Elapsed: 10 * time.Second, Peak: peak}
				r.results = append(r.results, result{work: w, caller: find(caller), Figures: f, ratio: float64(cpu) / float64(kept)})
			}
		}
	}
	add("kept", oursID, kept, 7*harness.MiB)
	add("kept", "gofast", gofast, 9*harness.MiB)
	add("mux-16", oursID, shared, 7*harness.MiB)
	add("body-1m", oursID, time.Millisecond, 10*harness.MiB)
	add("body-1g", oursID, time.Second, large)
	last := &r.results[len(r.results)-1]
	last.rate, last.server = 9e8, server
	return r
}

// Each goal is reached at its limit, and not beyond.
func TestGoals(t *testing.T) {
	const us, mib = time.Microsecond, harness.MiB
	for name, tt := range map[string]struct {
		r    *report
		want []string
	}{
		"reached": {
			sample(10*us, 120*us, 5*us, 1e9, 11*mib),
			[]string{"| 1/12.0 | yes |", "| 0.50 | yes |", "| 90 % | yes |", "| 10.0 MiB, 11.0 MiB | yes |"},
		},
		"missed": {
			sample(10*us, 119*us, 51*us/10, 1.01e9, 11*mib+1),
			[]string{"| 1/11.9 | no |", "| 0.51 | no |", "| 89 % | no |", "| 10.0 MiB, 11.0 MiB | no |"},
		},
	} {
		text := string(tt.r.markdown())
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, text)
			}
		}
		if !strings.Contains(text, "- nobody: away") {
			t.Errorf("%s does not say what is missing", name)
		}
	}
}

// TestPlot reads the plot as a browser does: as XML.
func TestPlot(t *testing.T) {
	plot, err := sample(10, 120, 5, 1e9, harness.MiB).plot()
	if err != nil {
		t.Fatal(err)
	}
	bars := make(map[string]int)
	for dec := xml.NewDecoder(bytes.NewReader(plot)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, plot)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars[e.Attr[0].Value]++
		}
	}
	if bars["ours"] != 2 || bars["peer"] != 1 || len(bars) != 2 {
		t.Errorf("bars are %v", bars)
	}
}
