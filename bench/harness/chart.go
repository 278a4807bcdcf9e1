//go:build linux

package harness

import (
	"bytes"
	_ "embed"
	"html/template"
)

// A Chart is bars in panels, one below the other.
type Chart struct {
	Label  string // for who does not see it
	Title  string
	Note   string  // small, below the title
	Most   float64 // where the scale ends: longer bars are cut off there
	Panels []Panel
}

// A Panel is the bars of one work.
type Panel struct {
	Title string
	Bars  []Bar
}

// A Bar is one result.
type Bar struct {
	Name   string
	Class  string // floor, ours or peer
	Value  string
	Length float64 // on the scale
}

//go:embed chart.svg.tmpl
var chartText string

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

// The measures of a chart, in its own units.
const (
	labelWidth = 190
	barsWidth  = 440
	rowHeight  = 20
	chartWidth = 760
)

// A placedPanel has its place in the chart.
type placedPanel struct {
	Title string
	Y     int
	Bars  []placedBar
}

type placedBar struct {
	Bar
	Y, TextY      int
	Width, ValueX int
	Cut           bool // longer than the scale
}

// SVG draws the chart.
func (c *Chart) SVG() ([]byte, error) {
	y := 56
	var panels []placedPanel
	for _, p := range c.Panels {
		placed := placedPanel{Title: p.Title, Y: y}
		y += 12
		for _, b := range p.Bars {
			placed.Bars = append(placed.Bars, c.place(b, y))
			y += rowHeight
		}
		y += 40
		panels = append(panels, placed)
	}
	var b bytes.Buffer
	err := chartTemplate.Execute(&b, map[string]any{
		"Chart": c, "Panels": panels, "Width": chartWidth, "Height": y - 20, "LabelX": labelWidth - 8, "BarX": labelWidth,
		"CutX": labelWidth + barsWidth - 24, "BarHeight": rowHeight - 5,
	})
	return b.Bytes(), err
}

func (c *Chart) place(b Bar, y int) placedBar {
	width := b.Length * barsWidth / c.Most
	p := placedBar{Bar: b, Y: y, TextY: y + 12, Width: int(min(width, barsWidth)), Cut: width > barsWidth}
	p.ValueX = labelWidth + p.Width + 8
	return p
}
