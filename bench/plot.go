//go:build linux

package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"strings"
)

//go:embed plot.svg.tmpl
var plotText string

var plotTemplate = template.Must(template.New("plot").Parse(plotText))

// The plot's measures, in its own units.
const (
	labelWidth = 190
	barsWidth  = 440
	rowHeight  = 20
	plotWidth  = 760
	mostFloors = 16 // the scale ends at this ratio: the slowest are cut off there
)

// A panel is a bar chart of one work.
type panel struct {
	Title string
	Y     int
	Bars  []bar
}

type bar struct {
	Name, Class, Value string
	Y, TextY           int
	Width, ValueX      int
	Cut                bool // longer than the scale
}

// plot draws the CPU time of a hello.
func (r *report) plot() ([]byte, error) {
	y := 56
	var panels []panel
	for _, w := range works {
		if !strings.HasPrefix(w.id, "hello-") || len(r.of(w.id)) == 0 {
			continue
		}
		p := panel{Title: w.title, Y: y}
		y += 12
		for _, res := range r.of(w.id) {
			p.Bars = append(p.Bars, newBar(res, y))
			y += rowHeight
		}
		y += 40
		panels = append(panels, p)
	}
	if len(panels) == 0 {
		return nil, errors.New("there is nothing to plot: neither hello-keep nor hello-close was measured")
	}
	var b bytes.Buffer
	err := plotTemplate.Execute(&b, map[string]any{
		"Panels": panels, "Width": plotWidth, "Height": y - 20, "LabelX": labelWidth - 8, "BarX": labelWidth,
		"CutX": labelWidth + barsWidth - 24, "BarHeight": rowHeight - 5, "Machine": r.Machine,
	})
	return b.Bytes(), err
}

func newBar(res result, y int) bar {
	width := res.Ratio * barsWidth / mostFloors
	b := bar{
		Name: res.Peer, Class: "peer", Y: y, TextY: y + 12,
		Value: fmt.Sprintf("%s, %.2f×", duration(res.CPU), res.Ratio),
		Width: int(min(width, barsWidth)), Cut: width > barsWidth,
	}
	b.ValueX = labelWidth + b.Width + 8
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
