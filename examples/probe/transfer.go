package main

import (
	"errors"

	"github.com/simple-fastcgi/fastcgi"
)

// A transfer sends what arrives, without waiting: while the web server takes
// less than it sends, the exchange is asked to give no more.
type transfer struct {
	*call
	unsent []byte // a piece that found no room
	last   bool   // nothing comes after it
}

// newTransfer makes a transfer. The caller sends the header and has arrived
// called.
func newTransfer(c *call) *transfer {
	t := &transfer{call: c}
	c.onAbort = c.cut
	t.ex.OnDrain(t.drained)
	return t
}

// arrived is what the exchange calls with a chunk.
func (t *transfer) arrived(chunk []byte, last bool) {
	t.last = last
	if !t.send(chunk) {
		// The chunk is lent to us until we return.
		t.unsent = append(t.unsent, chunk...)
		t.ex.PauseBody()
	}
}

func (t *transfer) drained() {
	if t.send(t.unsent) {
		t.unsent = t.unsent[:0]
		t.ex.ResumeBody()
	}
}

// send reports whether there was room for a piece.
func (t *transfer) send(piece []byte) bool {
	if _, err := t.ex.Write(piece); errors.Is(err, fastcgi.ErrFull) {
		return false
	}
	// Other errors are those of a request that is over; onAbort knows.
	_ = t.ex.Flush()
	if t.last {
		t.finish()
	}
	return true
}
