package main

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// The measures of the drawing, in pixels.
const (
	columnWidth = 160
	rowHeight   = 96
	boxHeight   = 56
	gap         = 16 // between two boxes of a row
	margin      = 12
	top         = 34 // what stands above the rows
	width       = 6.15*columnWidth + 2*margin - gap
	height      = top + 6*rowHeight + boxHeight + 50
)

// style knows no font but the reader's own, and both colour schemes.
const style = `<style>
	text { font: 12px system-ui, sans-serif; fill: #57606a; text-anchor: middle }
	.title { font-size: 15px; font-weight: 600; fill: #24292f }
	.tools { font-size: 10.5px; font-style: italic }
	.note { text-anchor: start }
	rect { stroke-width: 1.5; fill: #ffffff; stroke: #8c959f }
	.root { fill: #ddf4ff; stroke: #0969da }
	.engine { fill: #fff1e5; stroke: #bc4c00 }
	.driver { fill: #dafbe1; stroke: #1a7f37 }
	.protocol { fill: #fbefff; stroke: #8250df }
	.outer { fill: #f6f8fa }
	path { fill: none; stroke: #57606a; stroke-width: 1.4; marker-end: url(#head) }
	.implied { opacity: 0.55; stroke-dasharray: 4 3 }
	marker path { fill: #57606a; stroke: none; marker-end: none }
	@media (prefers-color-scheme: dark) {
		text { fill: #9198a1 }
		.title { fill: #f0f6fc }
		rect { fill: #151b23; stroke: #656c76 }
		.root { fill: #121d2f; stroke: #388bfd }
		.engine { fill: #2b1d14; stroke: #db6d28 }
		.driver { fill: #12261e; stroke: #2ea043 }
		.protocol { fill: #211932; stroke: #a371f7 }
		.outer { fill: #1c2128 }
		path { stroke: #9198a1 }
		marker path { fill: #9198a1 }
	}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
`

func (r *room) left() float64   { return margin + r.column*columnWidth }
func (r *room) wide() float64   { return r.width*columnWidth - gap }
func (r *room) middle() float64 { return r.left() + r.wide()/2 }
func (r *room) top() float64    { return float64(top + r.row*rowHeight) }

// svg returns the drawing.
func (h *house) svg() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %d" width="%[1]g" height="%[2]d" role="img" aria-label="The packages of this module and what they import">`+"\n", width, height)
	b.WriteString(style)
	fmt.Fprintf(&b, `<text class="note" x="%d" y="18">Made from the imports by internal/house/draw. An arrow is an import; where other arrows lead there as well, it is left out, or dashed if it is the root's.</text>`+"\n", margin)
	for _, a := range h.arrows {
		a.draw(&b)
	}
	for _, r := range h.rooms {
		r.draw(&b)
	}
	for i, line := range []string{"In italics, the small packages that a room uses like tools.", "For tests only: " + strings.Join(names(testing), ", ") + "."} {
		fmt.Fprintf(&b, `<text class="note" x="%d" y="%d">%s</text>`+"\n", margin, height-28+18*i, line)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (r *room) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, `<rect class="%s" x="%g" y="%g" width="%g" height="%d" rx="6"/>`, r.class, r.left(), r.top(), r.wide(), boxHeight)
	lines := []struct{ class, text string }{{"title", r.title}, {"does", r.does}}
	if len(r.tools) > 0 {
		lines = append(lines, struct{ class, text string }{"tools", strings.Join(r.tools, ", ")})
	}
	y := r.top() + 25
	if len(lines) == 3 {
		y = r.top() + 18
	}
	for i, l := range lines {
		fmt.Fprintf(b, `<text class="%s" x="%g" y="%g">%s</text>`, l.class, r.middle(), y+float64(i)*16, l.text)
	}
	b.WriteByte('\n')
}

// draw draws an arrow from the bottom of one room to the top of another. They leave a room, and reach it, side by side.
func (a *arrow) draw(b *bytes.Buffer) {
	x1 := a.from.left() + a.from.wide()*share(a.from.out, a)
	x2 := a.to.left() + a.to.wide()*share(a.to.in, a)
	y1, y2 := a.from.top()+boxHeight, a.to.top()-1
	// What can go straight down does.
	if left, right := max(a.from.left(), a.to.left()), min(a.from.left()+a.from.wide(), a.to.left()+a.to.wide()); right-left > 24 {
		if x1 > left && x1 < right && a.to.wide() > 2*columnWidth {
			x2 = x1
		} else if x2 > left && x2 < right && a.from.wide() > 2*columnWidth {
			x1 = x2
		}
	}
	class := ""
	if a.implied {
		class = ` class="implied"`
	}
	bend := (y2 - y1) / 2
	fmt.Fprintf(b, `<path%s d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f"/>`+"\n", class, x1, y1, x1, y1+bend, x2, y2-bend, x2, y2)
}

// share is where an arrow stands among those of its side of a room, from 0 to 1.
func share(side []*arrow, a *arrow) float64 {
	return float64(slices.Index(side, a)+1) / float64(len(side)+1)
}

// names are the last elements of folders.
func names(folders []string) (short []string) {
	for _, f := range folders {
		short = append(short, path.Base(f))
	}
	return short
}
