package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A failure is an error with the HTTP status that tells it.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

func statusError(code int, format string, args ...any) error {
	return &failure{code, fmt.Errorf(format, args...)}
}

// statusOf returns the HTTP status for an error. The table is in doc.go.
func statusOf(err error) int {
	var (
		known    *failure
		refused  *client.RefusedError
		large    *client.ParamTooLargeError
		maxBytes *http.MaxBytesError
	)
	switch {
	case errors.As(err, &known):
		return known.code
	case errors.As(err, &refused):
		return refusedStatus(refused.Status)
	case errors.As(err, &large):
		return http.StatusRequestHeaderFieldsTooLarge
	case errors.As(err, &maxBytes):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, client.ErrClosed), address.Away(err):
		return http.StatusServiceUnavailable
	case errors.Is(err, errHeaderTimeout), errors.Is(err, context.DeadlineExceeded):
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

// fail answers with an error page, or, if the response has begun, breaks it off.
func (x *exchange) fail(err error) {
	code := statusOf(err)
	x.logFailure(code, err)
	if x.code != 0 {
		// What there is shows the client what it was.
		_ = x.flush()
		panic(http.ErrAbortHandler)
	}
	x.closeAfterReply()
	http.Error(x.w, fmt.Sprintf("%d %s", code, cgi.StatusText(code)), code)
}

// logFailure logs what went wrong, and with which status it was told: as an error
// where it is the application's or ours, at debug level where it is the
// client's.
func (x *exchange) logFailure(code int, err error) {
	level := slog.LevelError
	if 400 <= code && code < 500 || errors.Is(err, errClientGone) || x.r.Context().Err() != nil {
		level = slog.LevelDebug
	}
	x.handler.log().LogAttrs(x.r.Context(), level, "fastcgi: gateway: request failed",
		slog.String("method", x.r.Method),
		slog.String("uri", x.r.RequestURI),
		slog.Int("status", code),
		slog.Any("error", err))
}

// closeAfterReply has an HTTP/1 connection closed after the response if the
// client may still be sending its body: what is left of that must not be taken
// for the next request.
func (x *exchange) closeAfterReply() {
	if x.r.ProtoMajor == 1 && x.body != nil && x.body.unread() {
		x.w.Header().Set("Connection", "close")
	}
}
