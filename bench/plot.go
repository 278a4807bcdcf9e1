//go:build linux

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

const mostFloors = 16 // the scale ends at this ratio: the slowest are cut off there

// plot draws the CPU time of a hello.
func (r *report) plot() ([]byte, error) {
	m := r.Machine
	chart := harness.Chart{
		Label: "CPU time of a request to each FastCGI library",
		Title: "CPU time of a request, and its ratio to a C program that parses nothing. Shorter is better.",
		Note: fmt.Sprintf("%s, Linux %s, %s. Blue is this library: its kinds of handlers, each on both drivers.",
			m.CPU, m.Kernel, m.Date),
		Most: mostFloors,
	}
	for _, w := range works {
		if !strings.HasPrefix(w.id, "hello-") || len(r.of(w.id)) == 0 {
			continue
		}
		p := harness.Panel{Title: w.title}
		for _, res := range r.of(w.id) {
			p.Bars = append(p.Bars, newBar(res))
		}
		chart.Panels = append(chart.Panels, p)
	}
	if len(chart.Panels) == 0 {
		return nil, errors.New("there is nothing to plot: neither hello-keep nor hello-close was measured")
	}
	return chart.SVG()
}

func newBar(res result) harness.Bar {
	b := harness.Bar{
		Name: res.Peer, Class: "peer", Length: res.Ratio,
		Value: fmt.Sprintf("%s, %.2f×", harness.Duration(res.CPU), res.Ratio),
	}
	switch {
	case res.Peer == peers[0].name:
		b.Class = "floor"
	case isOurs(res.Peer):
		b.Class = "ours"
	}
	return b
}

// isOurs reports whether a peer is this library: its names have a driver.
func isOurs(name string) bool {
	return strings.HasSuffix(name, ", loop") || strings.HasSuffix(name, ", goroutine")
}
