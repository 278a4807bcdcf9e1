package client

import (
	"io"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Response is what an application answers on STDOUT: a CGI response in the
// responder's and filter's roles, with a header, a blank line and a body. It
// must be closed.
//
// One goroutine at a time may read it; Close may be called by any.
type Response struct {
	x *exchange
}

// Read reads from STDOUT what has arrived, and waits if nothing has. It returns
// io.EOF at the end of a response that is complete: one that was ended by
// END_REQUEST with StatusRequestComplete, whatever the appStatus. Any other end
// is another error, as Do describes them. The last bytes may come together with
// io.EOF.
//
// While nobody reads, up to 64 KiB are buffered; then the application has to
// wait, or, where requests share the connection, the rest goes to disk.
func (r *Response) Read(p []byte) (int, error) {
	x := r.x
	c := x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case x.closed:
			return 0, errResponseClosed
		case x.tellStderr():
			continue
		case len(p) == 0:
			return 0, nil
		case x.out.ready.Len() > 0:
			return x.read(p)
		case x.over && x.out.inOrder():
			return 0, x.endError()
		}
		c.spill(x)
		x.change.Wait()
	}
}

// read takes what is there, along with the end if it follows.
func (x *exchange) read(p []byte) (n int, err error) {
	n = x.out.read(p)
	x.conn.room.Broadcast()
	if x.over && x.out.empty() {
		err = x.endError()
	}
	return n, err
}

// endError returns what Read returns at the end.
func (x *exchange) endError() error {
	if x.err == nil {
		return io.EOF
	}
	return x.err
}

// Wait discards what is left of STDOUT and returns how the application ended the
// request. Its error is nil if the response is complete, and never io.EOF.
func (r *Response) Wait() (protocol.EndRequest, error) {
	x := r.x
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	x.discard()
	for x.tellStderr() || !x.over {
		if len(x.errors) == 0 && !x.over {
			x.change.Wait()
		}
	}
	return x.end, x.err
}

// Close ends the request if it has not ended. It then closes the connection,
// which tells the application, or, if requests share that, sends ABORT_REQUEST.
// To have a kept connection used again, read the response to its end first. Close
// returns when Request.Stderr is no longer in use, and always nil.
func (r *Response) Close() error {
	x := r.x
	x.fail(errResponseClosed)
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	x.closed = true
	x.discard()
	for x.tellStderr() || x.out.busy {
		if x.out.busy {
			x.change.Wait()
		}
	}
	return nil
}

// notify has f called when the response is over, at once if it is. It is called
// with a mutex held, and must only note it.
func (r *Response) notify(f func()) {
	x := r.x
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if x.over {
		f()
		return
	}
	x.onEnd = f
}

// over reports whether nothing more will happen: the application has ended the
// request, or its connection is gone.
func (r *Response) over() bool {
	r.x.conn.mu.Lock()
	defer r.x.conn.mu.Unlock()
	return r.x.over
}
