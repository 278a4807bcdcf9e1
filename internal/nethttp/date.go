package nethttp

import (
	"net/http"
	"sync/atomic"
	"time"
)

// A dateLine is the Date field of responses, spelled out once a second: that
// takes as long as all else that a small response's header needs.
type dateLine struct {
	last atomic.Pointer[datedLine]
}

type datedLine struct {
	second int64
	text   string
}

// get returns the line for now.
func (d *dateLine) get(now time.Time) string {
	second := now.Unix()
	if l := d.last.Load(); l != nil && l.second == second {
		return l.text
	}
	text := "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"
	d.last.Store(&datedLine{second, text})
	return text
}
