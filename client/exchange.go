package client

import (
	"bytes"
	"fmt"
	"io"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// maxBuffered is how much STDOUT waits to be read before the application is held
// up, in bytes. A response that is smaller leaves the application, and a kept
// connection, free while its reader takes its time.
const maxBuffered = 64 << 10

// An exchange is one request and its response. Three parties meet in it: the
// goroutine that sends, readLoop, and the reader of the response. It ends when
// END_REQUEST has come and the connection is settled or closed.
//
// A second exchange on the same connection would need no more than a place in a
// list instead of conn.x, and a limit per exchange in put.
type exchange struct {
	// Immutable.
	conn         *conn
	id           uint16
	keep         bool // the connection is to be kept
	reused       bool // the connection was used before
	stderr       io.Writer
	stopWatching func() bool   // the context
	sendDone     chan struct{} // closed by send at its end

	// Guarded by conn.mu.
	out       bytes.Buffer // STDOUT not yet read
	sending   bool         // send runs
	delivered bool         // a part of the request went out
	answered  bool         // something arrived
	lost      bool         // the connection failed or was closed by the application
	inStderr  bool         // the caller's Stderr is being written
	ended     bool         // END_REQUEST came
	end       protocol.EndRequest
	over      bool  // nothing more will happen
	err       error // why it failed, once it is over
	closed    bool  // by Response.Close
}

// put stores a piece of STDOUT, waiting for room.
func (x *exchange) put(p []byte) {
	for len(p) > 0 && !x.over {
		if x.out.Len() >= maxBuffered {
			x.conn.change.Broadcast()
			x.conn.change.Wait()
			continue
		}
		n := min(len(p), maxBuffered-x.out.Len())
		x.out.Write(p[:n])
		p = p[n:]
	}
}

// putStderr passes a piece of STDERR to the caller.
func (x *exchange) putStderr(p []byte) {
	if x.stderr == nil || len(p) == 0 {
		return
	}
	x.inStderr = true
	x.conn.change.Broadcast()
	x.conn.mu.Unlock()
	x.stderr.Write(p)
	x.conn.mu.Lock()
	x.inStderr = false
	x.conn.change.Broadcast()
}

// finished reports whether the exchange is over and the caller's Stderr no
// longer in use.
func (x *exchange) finished() bool { return x.over && !x.inStderr }

// awaitFirst waits for the first byte of STDOUT or for the end.
func (x *exchange) awaitFirst() error {
	c := x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for x.out.Len() == 0 && !x.finished() {
		c.change.Wait()
	}
	if x.out.Len() > 0 {
		return nil
	}
	return x.err
}

// fail ends the exchange with err and closes its connection, unless it is over.
func (x *exchange) fail(err error) {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if x.conn.x == x {
		x.conn.closeLocked(fmt.Errorf("fastcgi: request given up: %w", err))
	}
}

// stale reports whether the exchange failed only because the application had
// closed the kept connection, as far as one can know: without a byte of answer.
func (x *exchange) stale() bool {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	return x.reused && x.lost && !x.answered
}
