package logtext

import "bytes"

// MaxLine is the longest line that stays in one piece, in bytes.
const MaxLine = 8 << 10

// MaxEscaped has room for any such line, however Escape spells it.
const MaxEscaped = len(`\x00`) * MaxLine

// Lines cuts what is written to it into lines, however it arrives, and emits them
// without their ends; those longer than MaxLine in parts. It is an io.Writer that
// never fails, for one goroutine at a time.
type Lines struct {
	// Emit is called with each line, which is valid until it returns.
	Emit func(line []byte)

	pending []byte // the line in progress, at most MaxLine
}

// Write takes a piece of text.
func (l *Lines) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte{'\n'})
		if room := MaxLine - len(l.pending); len(line) > room {
			l.pending = append(l.pending, line[:room]...)
			p = p[room:]
			l.Flush()
			continue
		}
		l.pending = append(l.pending, line...)
		p = rest
		if whole {
			l.Emit(l.pending)
			l.pending = l.pending[:0]
		}
	}
	return written, nil
}

// Flush emits a line that has no end.
func (l *Lines) Flush() {
	if len(l.pending) > 0 {
		l.Emit(l.pending)
		l.pending = l.pending[:0]
	}
}
