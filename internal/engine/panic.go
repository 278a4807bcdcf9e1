package engine

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/simple-fastcgi/fastcgi/internal/logtext"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// panicStatus is the appStatus of a request whose handler panicked: what a Go
// program exits with.
const panicStatus = 2

// A TracedPanic is a panic with the stack that would be lost on its way to whoever
// recovers it, as of a sequence that iter.Pull runs.
type TracedPanic struct {
	Reason any
	Stack  []byte
}

// Apart calls a function of the application's in a goroutine of its own, and waits
// for it: where the caller could not go on if the function ended its goroutine. A
// panic is logged, and ends nothing.
func (e *Engine) Apart(f func()) {
	over := make(chan struct{})
	go func() {
		var returned bool
		defer func() {
			if reason, stack := notReturned(returned, recover()); reason != nil {
				e.logPanic(reason, stack)
			}
			close(over)
		}()
		f()
		returned = true
	}()
	<-over
}

// errExited is what a function that has ended its goroutine is taken to have
// panicked with.
var errExited = errors.New("runtime.Goexit was called")

// notReturned returns why a function has not returned, and where; recovered is what
// recover says of it.
func notReturned(returned bool, recovered any) (reason any, stack []byte) {
	switch {
	case returned:
		return nil, nil
	case recovered == nil:
		return errExited, debug.Stack()
	}
	return panicStack(recovered)
}

// panicStack returns what was panicked with, and where.
func panicStack(reason any) (any, []byte) {
	switch p := reason.(type) {
	case nil:
		return nil, nil
	case TracedPanic:
		return p.Reason, p.Stack
	}
	return reason, debug.Stack()
}

// panicked ends a request whose handler panicked.
func (x *exchange) panicked(reason any, stack []byte) {
	x.end(evRelease, x.afterPanic(reason, stack))
}

// afterPanic reports a panic of a request's handler, and says how the request ends. A
// response that has begun ends where it is, with an appStatus that is not zero. In
// place of one that has not there is an error page: some web servers take an answer of
// nothing for an empty one of status 200, and one keeps its client waiting.
//
// A handler breaks off with Engine.AbortPanic on purpose. That ends in the same way,
// but is no news for a log.
func (x *exchange) afterPanic(reason any, stack []byte) ending {
	e := ending{page: 500, appStatus: panicStatus}
	onPurpose := x.conn.engine.brokeOff(reason)
	if onPurpose {
		e.appStatus = cmp.Or(x.appStatus, failedStatus)
	}
	x.conn.logPanic(reason, stack, "request", x.id)
	switch {
	case x.failed != nil: // nobody waits for an answer
		e.page = 0
	case !onPurpose:
		// The web server's log is told as well; if it fails there is nobody to tell.
		_, _ = x.write(protocol.TypeStderr, fmt.Appendf(nil, "fastcgi: handler panicked: %s\n", logtext.Escape(fmt.Sprint(reason), logtext.Limit)))
	}
	return e
}

// brokeOff reports whether a handler panicked on purpose, which is not reported
// anywhere.
func (e *Engine) brokeOff(reason any) bool { return e.AbortPanic != nil && reason == e.AbortPanic }

// logPanic reports a panic in a handler or a callback.
func (e *Engine) logPanic(reason any, stack []byte, about ...any) {
	if e.brokeOff(reason) {
		return
	}
	e.counters.panics.Add(1)
	e.Log.Error("fastcgi: handler panicked", append(about, "panic", fmt.Sprint(reason), "stack", string(stack))...)
}

// logPanic does the same with the mutex held.
func (c *conn) logPanic(reason any, stack []byte, about ...any) {
	if c.engine.brokeOff(reason) {
		return
	}
	c.engine.counters.panics.Add(1)
	c.logError("handler panicked", append(about, "panic", fmt.Sprint(reason), "stack", string(stack))...)
}
