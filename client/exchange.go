package client

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An exchange is one request and its response. Three parties meet in it: whoever sends, readLoop, and the reader of the
// response. It is over when the application's END_REQUEST has come and the connection is settled, or when it was given up;
// on a shared connection END_REQUEST may then still be due.
type exchange struct {
	// Immutable.
	conn         *conn
	id           uint16
	reused       bool  // the connection was used before
	begun        int64 // where in all that is sent on the connection the request begins
	stderr       io.Writer
	stopWatching func() bool   // the context; nil if that has no end
	atOnce       bool          // the bodies are sent with the parameters
	sender       chan struct{} // closed when the goroutine that sends the bodies is done; nil if there is none
	response     Response

	// change is signalled when something changes that the reader of the response may wait for.
	change sync.Cond

	// Guarded by conn.mu.
	out      backlog // STDOUT not yet read
	errors   []byte  // STDERR not yet written to the caller's Stderr
	inStderr bool    // that is being written
	keep     bool    // the connection is to be kept
	sending  bool    // the request is being sent
	answered bool    // something arrived
	lost     error   // how the connection failed, or that the application closed it
	crowded  bool    // the application refused the request, which had others beside it
	ended    bool    // END_REQUEST came
	end      protocol.EndRequest
	over     bool        // nothing more will happen
	err      error       // why it failed, once it is over
	closed   bool        // by Response.Close
	onEnd    func()      // called once it is over
	overdue  *time.Timer // of one that was aborted, and has no END_REQUEST
}

// patience is how long a response that takes no more may hold up the others on its connection.
const patience = 100 * time.Millisecond

// awaitRoom waits, in readLoop, while something of the exchange is full. Alone on its connection it may wait for its reader;
// beside others only for a moment: then it returns false.
func (x *exchange) awaitRoom(full func() bool) bool {
	c := x.conn
	var timer *time.Timer
	var late bool
	for full() && !x.over {
		switch {
		case x.alone(): // and was so since readLoop waits: others end by what it reads
		case late:
			return false
		case timer == nil:
			timer = time.AfterFunc(patience, func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				late = true
				c.room.Broadcast()
			})
			defer timer.Stop()
		}
		c.room.Wait()
	}
	return true
}

// alone reports whether nothing else is expected of what the connection brings.
func (x *exchange) alone() bool { return len(x.conn.exchanges)+x.conn.due <= 1 }

// putStdout keeps a piece of STDOUT until it is read: in memory as long as that is enough, and then, beside others on the
// connection, on disk. Alone it waits until there is room in memory, and nothing on disk that comes before.
func (x *exchange) putStdout(p []byte) {
	for len(p) > 0 && !x.over {
		n := x.out.put(p)
		switch {
		case n > 0:
			x.change.Broadcast()
		case x.alone():
			x.conn.room.Wait()
		case !x.out.queueFull():
			n = x.out.enqueue(p)
			x.conn.spill(x)
		case !x.awaitRoom(x.out.queueFull):
			x.failLocked(errUnread)
		}
		p = p[n:]
	}
}

// maxErrors is how much STDERR waits for the reader of the response, who hands it to the caller, in bytes.
const maxErrors = 64 << 10

// putStderr keeps a piece of STDERR for the reader of the response.
func (x *exchange) putStderr(p []byte) {
	if x.stderr == nil {
		return
	}
	for len(p) > 0 && !x.over {
		if !x.awaitRoom(func() bool { return len(x.errors) >= maxErrors }) {
			x.failLocked(errUnread)
			return
		}
		n := min(len(p), maxErrors-len(x.errors))
		x.errors = append(x.errors, p[:n]...)
		p = p[n:]
		x.change.Broadcast()
	}
}

// tellStderr writes to the caller's Stderr what has arrived for it, and reports whether there was something. It needs
// conn.mu, which it gives up meanwhile.
func (x *exchange) tellStderr() bool {
	c := x.conn
	for x.inStderr {
		x.change.Wait()
	}
	if len(x.errors) == 0 {
		return false
	}
	p := x.errors
	x.errors = nil
	x.inStderr = true
	c.room.Broadcast()
	c.mu.Unlock()
	x.stderr.Write(p)
	c.mu.Lock()
	x.inStderr = false
	x.change.Broadcast()
	return true
}

// awaitFirst waits for the first byte of STDOUT or for the end.
func (x *exchange) awaitFirst() error {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	for {
		switch {
		case x.tellStderr():
		case !x.out.empty():
			return nil
		case x.over:
			return x.err
		default:
			x.change.Wait()
		}
	}
}

// fail ends the exchange with err, unless it is over. The application learns of it.
func (x *exchange) fail(err error) {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if !x.over {
		x.failLocked(fmt.Errorf("fastcgi: request given up: %w", err))
	}
}

func (x *exchange) failLocked(err error) {
	switch {
	case x.over:
	case x.conn.shared:
		x.conn.abort(x, err)
	default:
		x.conn.closeLocked(err)
	}
}

// finish ends the exchange: with the application's END_REQUEST if it came, else with err.
func (x *exchange) finish(err error) {
	x.over = true
	switch {
	case !x.ended:
		x.err = err
	case x.end.Status != protocol.StatusRequestComplete:
		x.err = &RefusedError{Status: x.end.Status, AppStatus: x.end.AppStatus}
	}
	if x.stopWatching != nil {
		x.stopWatching()
	}
	if x.onEnd != nil {
		x.onEnd()
	}
	x.change.Broadcast()
	x.conn.room.Broadcast()
	x.conn.written.Broadcast()
}
