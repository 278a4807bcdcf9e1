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
// wait.
func (r *Response) Read(p []byte) (int, error) {
	x := r.x
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	for len(p) > 0 && x.out.Len() == 0 && !x.finished() && !x.closed {
		x.conn.change.Wait()
	}
	if x.closed {
		return 0, errResponseClosed
	}
	n, _ := x.out.Read(p)
	x.conn.change.Broadcast()
	if x.out.Len() > 0 || !x.finished() {
		return n, nil
	}
	if x.err == nil {
		return n, io.EOF
	}
	return n, x.err
}

// Wait discards what is left of STDOUT and returns how the application ended the
// request. Its error is nil if the response is complete, and never io.EOF.
func (r *Response) Wait() (protocol.EndRequest, error) {
	x := r.x
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	for !x.finished() {
		x.out.Reset()
		x.conn.change.Broadcast()
		x.conn.change.Wait()
	}
	x.out.Reset()
	return x.end, x.err
}

// Close ends the request if it has not ended: it then closes the connection,
// which tells the application. To have a kept connection used again, read the
// response to its end first. Close returns when Request.Stderr is no longer in
// use, and always nil.
func (r *Response) Close() error {
	x := r.x
	x.fail(errResponseClosed)
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	x.closed = true
	x.conn.change.Broadcast()
	for !x.finished() {
		x.conn.change.Wait()
	}
	return nil
}
