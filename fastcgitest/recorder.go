package fastcgitest

import (
	"context"
	"fmt"
	"sync"

	"github.com/simple-fastcgi/fastcgi"
)

// A Recorder holds what a Handler gets: a request that has arrived at a Server,
// and its ResponseWriter. The test plays the handler, or calls what it likes
// with them, and asks for the Result. They are as real as a handler's: they
// last until Result is called or the context given to NewRecorder ends, and then
// return ErrFinished.
type Recorder struct {
	Writer  fastcgi.ResponseWriter
	Request *fastcgi.Request

	call    *Call
	returns chan struct{} // closed by release: the handler is to return
	once    sync.Once     // of the close
}

// NewRecorder sends a request, in whatever role it has, and returns when it has
// arrived.
func NewRecorder(ctx context.Context, req *Request) (*Recorder, error) {
	rec := &Recorder{returns: make(chan struct{})}
	arrived := make(chan struct{})
	h := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		rec.Writer, rec.Request = w, r
		close(arrived)
		<-rec.returns
	})
	call, err := hold(ctx, req, fastcgi.Async(h), arrived, rec.release)
	if err != nil {
		return nil, err
	}
	rec.call = call
	return rec, nil
}

// Result ends the request, as a handler does by returning, and returns what was
// written. See [Call.Wait] for the errors. It returns the same again when it is
// called again.
func (r *Recorder) Result() (*Response, error) {
	r.release()
	return r.call.Wait()
}

// release has the handler return.
func (r *Recorder) release() { r.once.Do(func() { close(r.returns) }) }

// Abort has the request aborted by the web server, as [Call.Abort] does.
func (r *Recorder) Abort() error { return r.call.Abort() }

// Disconnect has the web server go away, as [Call.Disconnect] does.
func (r *Recorder) Disconnect() { r.call.Disconnect() }

// An AsyncRecorder is a Recorder of what an AsyncHandler gets: an Exchange, which
// lasts until its Finish is called or the context given to NewAsyncRecorder ends.
type AsyncRecorder struct {
	Exchange fastcgi.Exchange

	call *Call
}

// NewAsyncRecorder sends a request, in whatever role it has, and returns when it
// has arrived.
func NewAsyncRecorder(ctx context.Context, req *Request) (*AsyncRecorder, error) {
	rec := new(AsyncRecorder)
	arrived := make(chan struct{})
	call, err := hold(ctx, req, fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		rec.Exchange = ex
		close(arrived)
	}), arrived, func() {})
	if err != nil {
		return nil, err
	}
	rec.call = call
	return rec, nil
}

// Result waits until the exchange's Finish was called, and returns what was
// written. See [Call.Wait] for the errors. It returns the same again when it is
// called again.
func (r *AsyncRecorder) Result() (*Response, error) { return r.call.Wait() }

// Abort has the request aborted by the web server, as [Call.Abort] does.
func (r *AsyncRecorder) Abort() error { return r.call.Abort() }

// Disconnect has the web server go away, as [Call.Disconnect] does.
func (r *AsyncRecorder) Disconnect() { r.call.Disconnect() }

// hold sends a request to h and returns when h closes arrived. Whoever writes
// must not wait for the test, so the answer is read meanwhile. Once the request is
// over, for whatever reason, release is called.
func hold(ctx context.Context, req *Request, h fastcgi.AsyncHandler, arrived <-chan struct{}, release func()) (*Call, error) {
	call, err := start(ctx, serverOf(h), req, true)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = call.Wait() // Result returns the same
		release()
	}()
	select {
	case <-arrived:
		return call, nil
	case <-over:
	}
	resp, err := call.Wait()
	if err == nil {
		err = fmt.Errorf("the server answered with status %d", resp.StatusCode)
	}
	return nil, fmt.Errorf("fastcgitest: the request did not reach its handler: %w", err)
}
