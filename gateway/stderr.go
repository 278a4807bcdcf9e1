package gateway

import (
	"bytes"
	"log/slog"

	"github.com/simple-fastcgi/fastcgi/internal/logtext"
)

// maxLine is the longest line of STDERR that stays in one piece, in bytes.
const maxLine = 8 << 10

// maxEscaped has room for any such line, however it is spelled.
const maxEscaped = len(`\x00`) * maxLine

// lines cuts what is written to it into lines, however it arrives, and emits
// them without their ends.
type lines struct {
	emit    func(line []byte)
	pending []byte // the line in progress, at most maxLine
}

func (l *lines) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte{'\n'})
		if room := maxLine - len(l.pending); len(line) > room {
			l.pending = append(l.pending, line[:room]...)
			p = p[room:]
			l.flush()
			continue
		}
		l.pending = append(l.pending, line...)
		p = rest
		if whole {
			l.emit(l.pending)
			l.pending = l.pending[:0]
		}
	}
	return written, nil
}

// flush emits a line that has no end.
func (l *lines) flush() {
	if len(l.pending) > 0 {
		l.emit(l.pending)
		l.pending = l.pending[:0]
	}
}

// logStderr hands a line to the caller's function or to the log.
func (x *exchange) logStderr(line []byte) {
	if x.handler.Stderr != nil {
		x.handler.Stderr(x.r, bytes.Clone(line))
		return
	}
	x.handler.log().LogAttrs(x.r.Context(), slog.LevelWarn, "fastcgi: gateway: application's stderr",
		slog.String("uri", x.r.RequestURI),
		slog.String("stderr", logtext.Escape(line, maxEscaped)))
}
