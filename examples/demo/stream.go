package main

import (
	"fmt"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

const (
	ticks    = 12
	interval = 250 * time.Millisecond
)

// stream sends a line now and then. It is an AsyncHandler: between two lines
// there is a timer, and no goroutine. A visitor who leaves stops it.
func stream(ex fastcgi.Exchange) {
	_ = fastcgi.SendResponse(ex, 200, "text/plain", nil, fastcgi.Pair{Name: "Cache-Control", Value: "no-store"})
	stop := func() bool { return true }
	n := 0
	var tick func()
	tick = func() {
		n++
		// These fail once the visitor is gone, which OnAbort knows.
		_, _ = fmt.Fprintf(ex, "line %d of %d\n", n, ticks)
		_ = ex.Flush()
		if n == ticks {
			_ = ex.Finish(0)
			return
		}
		stop = ex.Loop().AfterFunc(interval, tick)
	}
	ex.OnAbort(func(error) {
		stop()
		_ = ex.Finish(1)
	})
	tick()
}
