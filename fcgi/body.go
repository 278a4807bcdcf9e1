package fcgi

import (
	"context"
	"errors"
	"io"

	"github.com/simple-fastcgi/fastcgi"
)

var (
	// ErrRequestAborted is what reading the body of a request returns once the
	// web server has aborted the request (§5.4). It wraps fastcgi.ErrAborted.
	ErrRequestAborted error = &readError{
		"fcgi: request aborted by web server",
		[]error{fastcgi.ErrAborted},
	}
	// ErrConnClosed is what reading the body of a request returns, after the
	// bytes that arrived, if the connection to the web server ended before the
	// body did. It wraps fastcgi.ErrDisconnected and io.ErrUnexpectedEOF, which is
	// what net/http's own server returns then.
	ErrConnClosed error = &readError{
		"fcgi: connection to web server closed",
		[]error{fastcgi.ErrDisconnected, io.ErrUnexpectedEOF},
	}
)

// A readError is one of this package's errors. Programs compare them with ==,
// so there is one of each: context.Cause has the details.
type readError struct {
	text string
	is   []error
}

func (e *readError) Error() string   { return e.text }
func (e *readError) Unwrap() []error { return e.is }

// A body is the body of a request, with the errors of this package.
type body struct {
	io.ReadCloser
	ctx context.Context // the request's
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	switch cause := context.Cause(b.ctx); {
	case errors.Is(cause, fastcgi.ErrAborted):
		return n, ErrRequestAborted
	case errors.Is(cause, fastcgi.ErrDisconnected):
		return n, ErrConnClosed
	}
	return n, err
}
