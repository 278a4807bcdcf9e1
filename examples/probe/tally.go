package main

import (
	"sync/atomic"

	"github.com/simple-fastcgi/fastcgi"
)

// A tally counts requests, for do=aborts and -max-requests.
type tally struct {
	most    int64  // 0: no end
	reached func() // called when the last of most requests begins

	begun, aborted atomic.Int64
}

// begin counts a request.
func (t *tally) begin() {
	if t.begun.Add(1) == t.most {
		t.reached()
	}
}

// end counts it as aborted if it was.
func (t *tally) end(r *fastcgi.Request) {
	if r.Aborted() {
		t.aborted.Add(1)
	}
}

// counting is h with its requests counted, the aborted ones before they are
// seen to end.
func (t *tally) counting(h fastcgi.Handler) fastcgi.Handler {
	return fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		t.begin()
		defer t.end(r)
		h.ServeFastCGI(w, r)
	})
}
