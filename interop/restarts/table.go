package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// markdown returns what the page says of the runs: a table of those under load, one of those with open streams, and what
// the clients saw of failures.
func markdown(runs []interop.RestartRun) string {
	var load, streams []interop.RestartRun
	for _, r := range runs {
		if r.Streams > 0 {
			streams = append(streams, r)
		} else {
			load = append(load, r)
		}
	}
	var n notes
	text := n.loadTable(load) + n.streamTable(streams)
	for i, note := range n {
		text += fmt.Sprintf("%d. %s\n", i+1, note)
	}
	if len(n) > 0 {
		text += "\n"
	}
	last := runs[len(runs)-1]
	return text + fmt.Sprintf("Measured on %s by `%s`, with %s on %d processors.\n", last.Date, command, last.Go, last.CPUs)
}

// loadTable has a row for each run under load.
func (n *notes) loadTable(runs []interop.RestartRun) string {
	if len(runs) == 0 {
		return ""
	}
	r := runs[0]
	text := fmt.Sprintf("%d clients, each with its next request as soon as it has its answer, %s requests for each line, and a restart\n"+
		"after every %s. Handlers are of the kind %s.\n\n", r.Clients, thousands(r.Requests), thousands(r.Requests/r.Restarts), r.Mode)
	text += head("", "configuration", "method", "requests", "restarts", "failed", "longest wait", "the old process ended within")
	for _, r := range runs {
		text += row(server(r), config(r), r.Method, thousands(r.Requests), strconv.Itoa(r.Restarts), n.failed(r), seconds(r.Longest), seconds(r.Ended))
	}
	return text + "\n"
}

// streamTable has a row for each run with open streams.
func (n *notes) streamTable(runs []interop.RestartRun) string {
	if len(runs) == 0 {
		return ""
	}
	text := "One restart while streams of events are open, whose handlers know of the end, and others ask all the time:\n\n" +
		head("", "configuration", "handlers", "streams", "ended in order", "new requests", "failed", "longest wait", "the old process ended within")
	for _, r := range runs {
		text += row(server(r), config(r), r.Mode, thousands(r.Streams), thousands(r.Orderly), thousands(r.Requests), n.failed(r), seconds(r.Longest), seconds(r.Ended))
	}
	return text + "\n"
}

func head(cells ...string) string {
	return row(cells...) + "|" + strings.Repeat("---|", len(cells)) + "\n"
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func server(r interop.RestartRun) string {
	return fmt.Sprintf("[%s](%s.md) %s", r.Column, r.Page, r.Version)
}

func config(r interop.RestartRun) string {
	return fmt.Sprintf("[%s](%s/%s)", r.Config, r.Page, r.Config)
}

// notes are texts at the foot of the tables, numbered from 1.
type notes []string

// failed says how many requests failed, with a note for what their clients saw.
func (n *notes) failed(r interop.RestartRun) string {
	if r.Failed() == 0 {
		return "none"
	}
	var saw []string
	for _, failure := range slices.Sorted(maps.Keys(r.Failures)) {
		saw = append(saw, fmt.Sprintf("%s: %d", failure, r.Failures[failure]))
	}
	*n = append(*n, fmt.Sprintf("%s, %s, %s: %s", r.Column, r.Config, r.Method, strings.Join(saw, ", ")))
	return fmt.Sprintf("%d <sup>%d</sup>", r.Failed(), len(*n))
}

// seconds rounds up, to hundredths.
func seconds(s float64) string { return fmt.Sprintf("%.2f s", s+0.005) }

// thousands writes a number with commas: 100,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
