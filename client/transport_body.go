package client

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// A requestBody reads the body of an HTTP request for the goroutine that sends it,
// which may be in the middle of that when the response is over. It closes it, once,
// at its end or when it is stopped.
type requestBody struct {
	// Immutable.
	timer  *limit.Timer
	again  func() (io.ReadCloser, error) // the request's GetBody
	length int64                         // that was announced, in bytes, or -1

	// Guarded by mu.
	mu      sync.Mutex
	body    io.ReadCloser // nil once it was closed
	at      int64         // bytes read
	reading bool
	stopped error // why; nil as long as it may be read
	ended   bool  // io.EOF was returned
}

// newRequestBody returns the body of a request, or nil if it has none.
func newRequestBody(r *http.Request, timer *limit.Timer) *requestBody {
	if r.Body == nil {
		return nil
	}
	if r.Body == http.NoBody {
		r.Body.Close()
		return nil
	}
	length := r.ContentLength
	if length <= 0 { // zero with a body is how http.NewRequest has an unknown length
		length = -1
	}
	return &requestBody{timer: timer, again: r.GetBody, length: length, body: r.Body}
}

// stdin returns what Client.Do reads. It can seek if the request has a GetBody.
func (b *requestBody) stdin() io.Reader {
	if b.again != nil {
		return repeatableBody{b}
	}
	return b
}

// atHand reads a short body that can be had more than once: it is in memory, or as
// good as that, and may then travel in one write with the variables.
func (b *requestBody) atHand(ctx context.Context) (*bytes.Reader, error) {
	defer context.AfterFunc(ctx, func() { b.stop(context.Cause(ctx)) })()
	whole := bytes.NewBuffer(make([]byte, 0, b.length+bytes.MinRead))
	if _, err := whole.ReadFrom(b); err != nil {
		return nil, err
	}
	return bytes.NewReader(whole.Bytes()), nil
}

// Read reads no more than was announced, and knows then that it is at the end.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	body, stopped := b.body, b.stopped
	b.reading = body != nil
	b.mu.Unlock()
	if body == nil {
		return 0, cmp.Or(stopped, io.EOF)
	}
	b.timer.Pause()
	n, err := body.Read(p)
	b.timer.Resume()
	return b.read(n, err)
}

// read is the end of a Read, and returns what its result means.
func (b *requestBody) read(n int, err error) (int, error) {
	b.mu.Lock()
	b.reading = false
	b.at += int64(n)
	switch {
	case b.length >= 0 && b.at > b.length:
		err = fmt.Errorf("it has more than the announced %d bytes", b.length)
	case b.at == b.length && (err == nil || errors.Is(err, io.EOF)):
		err = io.EOF
	case b.length >= 0 && errors.Is(err, io.EOF):
		err = fmt.Errorf("it has %d bytes, not the announced %d: %w", b.at, b.length, io.ErrUnexpectedEOF)
	}
	var body io.Closer
	if err != nil && b.body != nil {
		body, b.body = b.body, nil
	}
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
		err = io.EOF
	case err != nil && b.stopped != nil:
		err = b.stopped // and what went wrong since then did not
	case err != nil:
		err = &bodyError{err}
	}
	b.mu.Unlock()
	if body != nil {
		body.Close()
	}
	return n, err
}

// stop closes the body, unless that was done, and has Read fail with err. It does not wait for a Read in
// progress, and such a Read may well hold the Close up: that of the body that an
// http.Server makes does.
func (b *requestBody) stop(err error) {
	b.mu.Lock()
	b.stopped = cmp.Or(b.stopped, err)
	body, reading := b.body, b.reading
	b.body = nil
	b.mu.Unlock()
	switch {
	case body == nil:
	case reading:
		go body.Close()
	default:
		body.Close()
	}
}

// atEnd reports whether all was read.
func (b *requestBody) atEnd() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// collect reads the body to its end, or until ctx is done.
func (b *requestBody) collect(ctx context.Context, limits spool.Limits) (*spool.Body, error) {
	if b.length > limits.Size {
		return nil, &spool.TooLargeError{Limit: limits.Size}
	}
	type result struct {
		body *spool.Body
		err  error
	}
	// A Read need not end with ctx, nor with a Close.
	done := make(chan result)
	go func() {
		body, err := spool.ReadBody(b, limits)
		select {
		case done <- result{body, err}:
		case <-ctx.Done():
			if err == nil {
				body.Close()
			}
		}
	}()
	select {
	case r := <-done:
		return r.body, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// A repeatableBody is one that can be had from its start again.
type repeatableBody struct{ *requestBody }

// Seek goes as far as Client.Do needs it: it tells where it is, and goes back to
// the start.
func (b repeatableBody) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case offset == 0 && whence == io.SeekCurrent:
		return b.at, nil
	case offset != 0 || whence != io.SeekStart:
		return 0, errors.New("the request's body can only be read from its start again")
	case b.stopped != nil:
		return 0, b.stopped
	case b.at == 0 && b.body != nil:
		return 0, nil
	}
	body, err := b.again()
	if err != nil {
		return 0, err
	}
	if b.body != nil {
		b.body.Close()
	}
	b.body, b.at, b.ended = body, 0, false
	return 0, nil
}
