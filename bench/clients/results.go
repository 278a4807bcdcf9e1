//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strings"

	figures "github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A report is all that a run found.
type report struct {
	machine  harness.Machine
	command  string
	versions []string
	results  []result
	missing  []string
	failed   []string
}

// A result is what one kind of work cost one client.
type result struct {
	work   *work
	caller caller
	figures.Figures
	rate   float64 // bytes a second in the fastest round, where that is what counts
	server float64 // of those, how many the server has by itself
	ratio  float64 // of the CPU time to that of client.Client on the same kind of socket
}

// of are the results of a work.
func (r *report) of(w *work) (results []result) {
	for _, res := range r.results {
		if res.work == w {
			results = append(results, res)
		}
	}
	return results
}

// find returns one result.
func (r *report) find(workID, callerID string) (result, bool) {
	for _, res := range r.results {
		if res.work.id == workID && res.caller.id == callerID {
			return res, true
		}
	}
	return result{}, false
}

const preamble = `# What a call costs

The last whole run of ` + "`make bench-clients`" + `, which writes this file. CPU/call is the CPU time of the client's process.
"over ours" is that as a ratio to this library's client.Client in the same run, and of what calls over TCP to its
client.Transport there. Client and application have a processor each. Rounds are interleaved, and of each client the
cheapest counts; of rates, the fastest. The application is this library's, with async handlers. Every answer was verified.
Peak memory is the client's.

client.Client, gofast and fcgi_client are given the 20 parameters of a request; client.Transport makes 20 of an
http.Request, and Caddy's transport 30. Behind client.Client and fcgi_client the CGI response is read as it is; the others parse its header.
fcgi_client and Caddy's transport make a connection for each call. gofast has one for each caller here, because its own
pool makes more than that. Only Caddy's proxy can tell its transport of a Unix socket, so that calls over TCP.

`

var columns = []string{"client", "CPU/call", "over ours", "calls/s", "bytes/s", "peak memory"}

// markdown is the report for people.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(preamble)
	m := r.machine
	fmt.Fprintf(&b, "%s, %s, Linux %s, %s, commit %s.\n\n`%s`\n", m.Date, m.CPU, m.Kernel, m.System, m.Commit, r.command)
	b.WriteString("\n![CPU time of a call](../../docs/clients.svg)\n")
	r.writeGoals(&b)
	for i := range works {
		r.writeWork(&b, &works[i])
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"Versions", r.versions}, {"Missing", r.missing}, {"Failed", r.failed}} {
		if len(part.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", part.title)
		for _, line := range part.lines {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	return b.Bytes()
}

// writeWork writes the table of one work.
func (r *report) writeWork(b *bytes.Buffer, w *work) {
	results := r.of(w)
	if len(results) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", w.id, strings.ToUpper(w.title[:1])+w.title[1:])
	rows := [][]string{columns}
	for _, res := range results {
		rows = append(rows, res.cells())
		if w.rate != "" {
			rows = append(rows, []string{"the server itself, asked by ./bench", "-", "-", "-", rate(res.server), "-"})
		}
	}
	harness.WriteTable(b, rows)
}

// cells are a result as a row of the columns.
func (r result) cells() []string {
	cells := []string{r.caller.name, harness.Duration(cost(r.Figures)), "-", "-", "-", harness.Size(r.Peak)}
	if r.ratio > 0 {
		cells[2] = fmt.Sprintf("%.2f", r.ratio)
	}
	if r.work.rate != "" {
		cells[4] = rate(r.rate)
	} else {
		cells[3] = fmt.Sprintf("%.0f", float64(r.Calls)/r.Elapsed.Seconds())
	}
	return cells
}

func rate(bytes float64) string { return fmt.Sprintf("%.2f GiB/s", bytes/harness.GiB) }

// plot draws the CPU time of small calls.
func (r *report) plot() ([]byte, error) {
	m := r.machine
	chart := harness.Chart{
		Label: "CPU time of a call with each FastCGI client",
		Title: "CPU time of a call to the client, and its ratio to client.Client. Shorter is better.",
		Note:  fmt.Sprintf("%s, Linux %s, %s. Blue is this library.", m.CPU, m.Kernel, m.Date),
		Most:  16,
	}
	for i := range works {
		w := &works[i]
		results := r.of(w)
		if w.bytes() > 0 || len(results) == 0 {
			continue
		}
		p := harness.Panel{Title: w.title}
		kept, _ := r.find("kept", oursID)
		for _, res := range results {
			bar := harness.Bar{Name: res.caller.name, Class: "peer", Value: harness.Duration(cost(res.Figures))}
			if res.caller.program == "ours" {
				bar.Class = "ours"
			}
			if res.ratio > 0 && res.ratio != 1 {
				bar.Value += fmt.Sprintf(", %.2f×", res.ratio)
			}
			// One scale for all panels: that of a call on a kept connection.
			if kept.Calls > 0 {
				bar.Length = float64(cost(res.Figures)) / float64(cost(kept.Figures))
			}
			p.Bars = append(p.Bars, bar)
		}
		chart.Panels = append(chart.Panels, p)
	}
	return chart.SVG()
}
