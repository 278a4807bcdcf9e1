package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// fail answers with an error page, or, if the response has begun, breaks it off.
func (x *exchange) fail(err error) {
	code := client.StatusOf(err)
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
