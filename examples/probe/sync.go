package main

import (
	"github.com/simple-fastcgi/fastcgi"
)

// syncTasks are the tasks that need the body or time, and wait for them.
var syncTasks = map[string]func(w fastcgi.ResponseWriter, r *fastcgi.Request, o order) error{
	"echo":   echoSync,
	"digest": digestSync,
	"stream": streamSync,
	"events": eventsSync,
	"sleep":  sleepSync,
}

// A syncResponder is the probe in sync mode.
type syncResponder struct{ tally *tally }

// ServeFastCGI implements fastcgi.Handler.
func (s syncResponder) ServeFastCGI(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	// The error means that the web server does not take the answer any more,
	// so there is nobody to tell.
	_ = s.answer(w, r)
}

func (s syncResponder) answer(w fastcgi.ResponseWriter, r *fastcgi.Request) error {
	o, err := parseOrder(r.Params.Get("QUERY_STRING"))
	if err != nil {
		return sendMistake(w, err)
	}
	if task, ok := syncTasks[o.do]; ok {
		return task(w, r, o)
	}
	if task, ok := plainTasks(s.tally)[o.do]; ok {
		return task(w, r.Params, o)
	}
	return sendMistake(w, o.unknown())
}
