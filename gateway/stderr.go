package gateway

import (
	"bytes"
	"log/slog"

	"github.com/simple-fastcgi/fastcgi/internal/logtext"
)

// logStderr hands a line to the caller's function or to the log.
func (x *exchange) logStderr(line []byte) {
	if x.handler.Stderr != nil {
		x.handler.Stderr(x.r, bytes.Clone(line))
		return
	}
	x.handler.log().LogAttrs(x.r.Context(), slog.LevelWarn, "fastcgi: gateway: application's stderr",
		slog.String("uri", x.r.RequestURI),
		slog.String("stderr", logtext.Escape(line, logtext.MaxEscaped)))
}
