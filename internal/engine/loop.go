package engine

import "time"

// A Loop runs functions one at a time. One that panics, or ends its goroutine, is
// contained: it ends the request that the loop was asked of, if there is one. The zero
// Loop runs nothing.
type Loop struct {
	engine *Engine
	ref    Ref // zero for a loop that belongs to no request
	post   func(func())
}

// Post runs f on the loop, after Post has returned.
func (l Loop) Post(f func()) {
	if l.post == nil {
		return
	}
	l.post(func() {
		var returned bool
		defer l.contain(&returned)
		f()
		returned = true
	})
}

// AfterFunc runs f on the loop once d has passed. The function that it returns
// cancels that, and reports whether it was in time.
func (l Loop) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	if l.post == nil {
		return func() bool { return false }
	}
	return time.AfterFunc(d, func() { l.Post(f) }).Stop
}

// contain is deferred around a function of the application's.
func (l Loop) contain(returned *bool) {
	reason, stack := notReturned(*returned, recover())
	switch {
	case reason == nil:
	case l.ref.conn != nil:
		l.ref.panicked(reason, stack)
	default:
		l.engine.logPanic(reason, stack, "loop", "no request")
	}
}
