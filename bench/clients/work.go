//go:build linux

package main

import "github.com/simple-fastcgi/fastcgi/bench/harness"

// A work is something to measure clients at.
type work struct {
	id, title string

	keep      bool // on connections that are kept, by clients that keep any
	others    bool // by those that keep none as well, with a connection for each call
	multiplex bool // all callers share one
	ours      bool // by this library's client alone, over a Unix socket
	callers   int
	share     int    // of -calls one in so many is enough
	body      int64  // bytes of each request's
	answer    int64  // bytes of each answer's; 0 is "hello, world"
	rate      string // the work of ./bench that measures the server at this; empty: the rate is of no interest
}

var works = []work{
	{id: "kept", title: `"hello, world" to 32 callers, on connections that are kept`, keep: true, callers: 32, share: 1},
	{id: "kept-1", title: `"hello, world" to one caller, on a connection that is kept`, keep: true, callers: 1, share: 1},
	{id: "close", title: `"hello, world" to 32 callers, a connection for each call`, others: true, callers: 32, share: 1},
	{id: "mux-16", title: `"hello, world" to 16 callers that share a connection`, keep: true, multiplex: true, callers: 16, share: 1},
	{
		id: "answer-1m", title: "answers of 1 MiB to one caller, on a connection that is kept by clients that keep any",
		keep: true, others: true, callers: 1, share: 100, answer: harness.MiB,
	},
	{
		id: "body-1m", title: "bodies of 1 MiB from one caller, on a connection that is kept by clients that keep any",
		keep: true, others: true, callers: 1, share: 100, body: harness.MiB,
	},
	{
		id: "answer-1g", title: "answers of 1 GiB to one caller", ours: true,
		keep: true, callers: 1, share: 50_000, answer: harness.GiB, rate: "bytes-1g",
	},
	{
		id: "body-1g", title: "bodies of 1 GiB from one caller", ours: true,
		keep: true, callers: 1, share: 50_000, body: harness.GiB, rate: "count-1g",
	},
}

// takes reports whether a client does the work.
func (w *work) takes(c caller) bool {
	switch {
	case w.ours:
		return c.id == oursID
	case w.multiplex:
		return c.shares && !c.tcp
	case w.others:
		return true
	}
	return c.keeps && !c.tcp
}

func workIDs() (ids []string) {
	for _, w := range works {
		ids = append(ids, w.id)
	}
	return ids
}

// bytes is how much passes in a call, where that is what counts.
func (w *work) bytes() int64 { return max(w.body, w.answer) }
