package gateway

import (
	"bytes"
	"log/slog"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// maxLine is the longest line of STDERR that stays in one piece, in bytes.
const maxLine = 8 << 10

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
		slog.String("stderr", escape(line)))
}

// escape spells what could forge or erase lines of a log, or steer a terminal:
// control characters, and what is no UTF-8, as \n or \x1b; the backslash as \\,
// so that nothing is lost.
func escape(line []byte) string {
	out := make([]byte, 0, len(line))
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case r == '\\':
			out = append(out, `\\`...)
		case r == utf8.RuneError && size == 1:
			out = appendHex(out, line[0])
		case unicode.IsPrint(r):
			out = append(out, line[:size]...)
		default:
			quoted := strconv.AppendQuoteRune(nil, r)
			out = append(out, quoted[1:len(quoted)-1]...)
		}
		line = line[size:]
	}
	return string(out)
}

func appendHex(dst []byte, b byte) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'x', digits[b>>4], digits[b&15])
}
