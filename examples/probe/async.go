package main

import (
	"io"

	"github.com/simple-fastcgi/fastcgi"
)

// asyncTasks are the tasks that need the body or time, and are called back when
// there is some. They finish the exchange.
var asyncTasks = map[string]func(c *call){
	"echo":   echoAsync,
	"digest": digestAsync,
	"stream": streamAsync,
	"events": eventsAsync,
	"sleep":  sleepAsync,
}

// A call is a request in async mode, for a task. All that happens to it happens
// on its loop, one thing at a time, so it needs no lock.
type call struct {
	ex      fastcgi.Exchange
	order   order
	tally   *tally
	counted bool   // as aborted
	onAbort func() // if a task sets it, called when the request is aborted
	short   bool   // its body, or FCGI_DATA, came to its end too soon
	onShort func() // if a task reads one of them, called then
}

// newCall counts a request.
func newCall(ex fastcgi.Exchange, t *tally) *call {
	c := &call{ex: ex, tally: t, onAbort: func() {}, onShort: func() {}}
	t.begin()
	ex.OnAbort(func(cause error) {
		// Wrapped in another error, it is the connection that has ended too soon.
		if cause == io.ErrUnexpectedEOF {
			c.short = true
			c.onShort()
			return
		}
		c.countAbort()
		c.onAbort()
	})
	return c
}

func (c *call) countAbort() {
	if !c.counted {
		c.counted = true
		c.tally.aborted.Add(1)
	}
}

// finish ends the request. OnAbort is not called any more then, which matters
// if it was about to be.
func (c *call) finish() {
	if !c.short && c.ex.Aborted() {
		c.countAbort()
	}
	_ = c.ex.Finish(0) // it fails if it was called before
}

// cut ends a request of which more was to be sent. A web server that has only
// closed its half of the connection can tell by the appStatus.
func (c *call) cut() {
	c.ex.SetAppStatus(1)
	c.finish()
}

// An asyncResponder is the probe in async mode.
type asyncResponder struct{ tally *tally }

// ServeAsync implements fastcgi.AsyncHandler.
func (a asyncResponder) ServeAsync(ex fastcgi.Exchange) {
	c := newCall(ex, a.tally)
	p := ex.Params()
	o, err := parseOrder(p.Get("QUERY_STRING"))
	if task, ok := asyncTasks[o.do]; ok && err == nil {
		c.order = o
		task(c)
		return
	}
	// What fails in these is sending to a web server that does not take the
	// answer any more.
	if task, ok := plainTasks(a.tally)[o.do]; err != nil {
		_ = sendMistake(ex, err)
	} else if !ok {
		_ = sendMistake(ex, o.unknown())
	} else {
		_ = task(ex, p, o)
	}
	c.finish()
}
