//go:build linux

package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// sample is a report with one of everything.
func sample() *report {
	r := &report{
		Machine:  harness.Machine{CPU: "A <Fast> & Small CPU", Kernel: "6.1", System: "Debian", Commit: "abc", Date: "2026-11-22"},
		Programs: map[string]string{"go": "go1.26"},
		Gaps:     []remark{{"hello-keep", "libfcgi", "one at a time"}, {"idle", "libfcgi", "one at a time"}},
		Missing:  []remark{{Peer: "nobody", Reason: "empty"}},
		Failed:   []remark{{"mux-16", "PHP-FPM", "fell over"}},
	}
	for _, res := range []struct {
		work, peer string
		cpu        time.Duration
	}{
		{"hello-keep", "C floor", 4 * time.Microsecond},
		{"hello-keep", "async, loop", 5 * time.Microsecond},
		{"hello-keep", "simple_fastcgi sync", 400 * time.Microsecond},
		{"hello-close", "C floor", 8 * time.Microsecond},
		{"hello-close", "async, loop", 10 * time.Microsecond},
	} {
		r.add(result{Work: res.work, Peer: res.peer, figures: figures{
			Requests: 10, CPU: res.cpu, Rate: 250_000, P50: time.Millisecond, P99: 12 * time.Millisecond, Peak: 7 * mib,
		}})
	}
	r.add(result{Work: "idle", Peer: "async, loop", figures: figures{Requests: 10_000, Each: 700, Peak: 9 * mib}})
	return r
}

func TestRatioIsToTheFloorOfTheSameWork(t *testing.T) {
	want := []float64{1, 1.25, 100, 1, 1.25, 0}
	for i, res := range sample().Results {
		if res.Ratio != want[i] {
			t.Errorf("%s, %s: ratio %v, want %v", res.Work, res.Peer, res.Ratio, want[i])
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := sample().print(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]string{
		{"hello-keep", "async, loop", "5.00 µs", "1.25", "250000", "1000 µs", "12 ms", "7.0 MiB"},
		{"idle", "async, loop", "9.0 MiB", "700 B"},
		{"libfcgi, hello-keep, idle: one at a time"},
		{"nobody: empty"},
		{"PHP-FPM, mux-16: fell over"},
	} {
		if !hasLineWith(b.String(), line) {
			t.Errorf("no line has %q in\n%s", line, b.String())
		}
	}
}

func TestMarkdown(t *testing.T) {
	text := string(sample().markdown())
	for _, line := range [][]string{
		{"2026-11-22, A <Fast> & Small CPU, Linux 6.1, Debian, commit abc."},
		{"| peer | CPU/request | over floor | requests/s | p50 | p99 | peak memory |"},
		{"| async, loop | 5.00 µs | 1.25 | 250000 | 1000 µs | 12 ms | 7.0 MiB |"},
		{"| peer | peak memory | memory each |"},
		{"| async, loop | 9.0 MiB | 700 B |"},
		{"Not libfcgi: one at a time."},
		{"- go: go1.26"},
		{"- nobody: empty"},
		{"- PHP-FPM, mux-16: fell over"},
	} {
		if !hasLineWith(text, line) {
			t.Errorf("no line has %q in\n%s", line, text)
		}
	}
}

// hasLineWith reports whether some line has all of parts, in that order.
func hasLineWith(text string, parts []string) bool {
	for line := range strings.Lines(text) {
		ok := true
		for _, p := range parts {
			_, line, ok = strings.Cut(line, p)
			if !ok {
				break
			}
		}
		if ok {
			return true
		}
	}
	return false
}

// TestPlot reads the plot as a browser does: as XML.
func TestPlot(t *testing.T) {
	plot, err := sample().plot()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	bars, cuts := map[string]int{}, 0
	for dec := xml.NewDecoder(bytes.NewReader(plot)); ; {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, plot)
		}
		switch token := token.(type) {
		case xml.CharData:
			texts = append(texts, string(token))
		case xml.StartElement:
			switch token.Name.Local {
			case "rect":
				bars[token.Attr[0].Value]++
			case "path":
				cuts++
			}
		}
	}
	if bars["floor"] != 2 || bars["ours"] != 2 || bars["peer"] != 1 || cuts != 1 {
		t.Errorf("there are bars %v, %d of them cut", bars, cuts)
	}
	all := strings.Join(texts, "")
	for _, text := range []string{"A <Fast> & Small CPU", `"hello, world", a connection a request`, "simple_fastcgi sync", "400 µs, 100.00×"} {
		if !strings.Contains(all, text) {
			t.Errorf("the plot does not say %q but %q", text, all)
		}
	}
}

func TestPlotNeedsResults(t *testing.T) {
	if _, err := new(report).plot(); err == nil {
		t.Error("a plot of nothing")
	}
}

func TestFilesAreWritten(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"bench", "docs"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := sample().writeFiles(root); err != nil {
		t.Fatal(err)
	}
	for path, start := range map[string]string{"bench/RESULTS.md": "# What a request costs", "docs/performance.svg": "<svg "} {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !strings.HasPrefix(string(text), start) {
			t.Errorf("%s: %v, starts %.30q", path, err, text)
		}
	}
}
