package fastcgi

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A LogHandler is a slog.Handler that logs to the web server's error log, by
// way of FCGI_STDERR (§5.3), what concerns a request, and hands on the rest. A
// record concerns a request if its context is that of an http.Request served
// through HTTP, or derives from it:
//
//	slog.SetDefault(slog.New(fastcgi.NewLogHandler(slog.NewTextHandler(os.Stderr, nil), nil)))
//	...
//	slog.WarnContext(r.Context(), "no such user", "name", name)
//
// A [Handler] that gets a [ResponseWriter] needs nothing but
// slog.NewTextHandler(w.Stderr(), nil).
//
// Records are lines as of a slog.TextHandler, without a time, which the web
// server adds. Whatever a message or an attribute holds is quoted, with line breaks
// and other control characters escaped: no text of a client ends a line.
//
// They are sent with the next output of the request, and logging waits as Write
// does while the web server takes none. What comes after the request is handed on,
// too, and everything behind IIS, which answers with status 500 where there is
// anything on FCGI_STDERR.
type LogHandler struct {
	next  slog.Handler
	lines *lineBuffer
	text  slog.Handler // writes to lines
}

// A lineBuffer is what a text handler writes to, and all that derive from it.
type lineBuffer struct {
	mu   sync.Mutex
	line bytes.Buffer
}

func (l *lineBuffer) Write(p []byte) (int, error) { return l.line.Write(p) }

// NewLogHandler returns a LogHandler. Records that concern no request go to
// next, which has its own idea of levels; nil discards them. Options are those of
// slog.NewTextHandler, and may be nil.
func NewLogHandler(next slog.Handler, opts *slog.HandlerOptions) *LogHandler {
	if next == nil {
		next = slog.DiscardHandler
	}
	lines := new(lineBuffer)
	return &LogHandler{next: next, lines: lines, text: slog.NewTextHandler(lines, opts)}
}

// Enabled implements slog.Handler.
func (h *LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	if stderrOf(ctx) != nil {
		return h.text.Enabled(ctx, level)
	}
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *LogHandler) Handle(ctx context.Context, record slog.Record) error {
	if r := stderrOf(ctx); r != nil {
		line, err := h.format(ctx, record)
		if err != nil {
			return err
		}
		if _, err := r.Stderr().Write(line); err == nil {
			return nil
		}
		if !h.next.Enabled(ctx, record.Level) {
			return nil
		}
	}
	return h.next.Handle(ctx, record)
}

// stderrOf returns the request that a context belongs to, if it has an
// FCGI_STDERR that may be used.
func stderrOf(ctx context.Context) *Request {
	r := FromContext(ctx)
	if r == nil || strings.HasPrefix(r.Params.Get("SERVER_SOFTWARE"), "Microsoft-IIS") {
		return nil
	}
	return r
}

// format returns the line of a record.
func (h *LogHandler) format(ctx context.Context, record slog.Record) ([]byte, error) {
	record.Time = time.Time{}
	h.lines.mu.Lock()
	defer h.lines.mu.Unlock()
	h.lines.line.Reset()
	err := h.text.Handle(ctx, record)
	return bytes.Clone(h.lines.line.Bytes()), err
}

// WithAttrs implements slog.Handler.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &LogHandler{next: h.next.WithAttrs(attrs), lines: h.lines, text: h.text.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	return &LogHandler{next: h.next.WithGroup(name), lines: h.lines, text: h.text.WithGroup(name)}
}
