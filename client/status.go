package client

import (
	"context"
	"errors"
	"net/http"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// ErrHeaderTimeout says that an application did not answer within
// [Transport].ResponseHeaderTimeout. It is a timeout for net.Error.
var ErrHeaderTimeout error = headerTimeoutError{}

type headerTimeoutError struct{}

func (headerTimeoutError) Error() string   { return "fastcgi: no response header in time" }
func (headerTimeoutError) Timeout() bool   { return true }
func (headerTimeoutError) Temporary() bool { return true }

// A timeoutError is an error because of a timeout, which url.Error asks of what it
// has, and not of what that wraps.
type timeoutError struct{ error }

func (e *timeoutError) Timeout() bool { return true }

func (e *timeoutError) Unwrap() error { return e.error }

// asTimeout returns an error that says of itself whether it is a timeout.
func asTimeout(err error) error {
	var t interface{ Timeout() bool }
	if errors.As(err, &t) && t.Timeout() {
		return &timeoutError{err}
	}
	return err
}

// A bodyError is an error of the body of an HTTP request, as opposed to one of the
// application.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }

func (e *bodyError) Unwrap() error { return e.err }

// StatusOf returns the HTTP status with which a proxy tells its client of an error
// of a Doer, ReadHead or Transport.RoundTrip, for an ErrorHandler of
// httputil.ReverseProxy for instance:
//
//	400  the path has a CR, LF or NUL, or the body could not be read
//	404  the path is outside of Prefix, or names no script
//	413  the body exceeds SpoolLimit, or is an *http.MaxBytesError
//	431  a header field does not fit into a record (64 KiB)
//	500  the application does not serve the role it was asked for, or the body
//	     could not be kept on disk
//	502  everything else
//	503  nobody listens, or too many connections wait there; it refuses the request
//	     for now (OVERLOADED, CANT_MPX_CONN); a Balancer has none for it; or the
//	     Client is closed
//	504  no answer in time
//	507  there is no room on the disk for the body
func StatusOf(err error) int {
	var (
		known    *cgi.StatusError
		refused  *RefusedError
		large    *ParamTooLargeError
		maxBytes *http.MaxBytesError
		spooled  *spool.TooLargeError
		disk     *spool.DiskError
		body     *bodyError
	)
	switch {
	case errors.As(err, &known):
		return known.Code
	case errors.Is(err, ErrUnavailable): // whatever became of the last one
		return http.StatusServiceUnavailable
	case errors.As(err, &refused):
		return refusedStatus(refused.Status)
	case errors.As(err, &large):
		return http.StatusRequestHeaderFieldsTooLarge
	case errors.As(err, &maxBytes), errors.As(err, &spooled):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &disk):
		if errors.Is(err, syscall.ENOSPC) {
			return http.StatusInsufficientStorage
		}
		return http.StatusInternalServerError
	case errors.As(err, &body):
		return http.StatusBadRequest
	case errors.Is(err, ErrClosed), errors.Is(err, ErrUnavailable), address.Away(err):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrHeaderTimeout), errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

func refusedStatus(s protocol.Status) int {
	switch s {
	case protocol.StatusOverloaded, protocol.StatusCantMultiplex:
		return http.StatusServiceUnavailable
	case protocol.StatusUnknownRole:
		return http.StatusInternalServerError
	}
	return http.StatusBadGateway
}
