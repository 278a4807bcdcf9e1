package engine

import "log/slog"

// A logLine is what somebody is to be told once no mutex is held.
type logLine struct {
	level slog.Level
	msg   string
	args  []any
}

// log notes a line for the error log.
func (c *conn) log(level slog.Level, msg string, args ...any) {
	c.effects.lines = append(c.effects.lines, logLine{level, msg, args})
}

func (c *conn) warn(msg string, args ...any) { c.log(slog.LevelWarn, msg, args...) }

func (c *conn) logError(msg string, args ...any) { c.log(slog.LevelError, msg, args...) }

// A complaint is a kind of line about what a web server, or a client behind it, has
// done. Each is logged once for a connection, then counted: a log must not grow
// faster than what it tells of.
type complaint uint8

const (
	complainRefused complaint = iota
	complainInput
	complainLate
	complainNoRoom
	complainSpool
	complainHTTP
)

// A complaints is what was complained of on a connection.
type complaints struct {
	made    uint8 // by kind, a bit each
	further int   // that were not logged
}

// complain logs a line about the peer, if it is the first of its kind.
func (c *conn) complain(kind complaint, msg string, args ...any) {
	if bit := uint8(1) << kind; c.made&bit == 0 {
		c.made |= bit
		c.warn(msg, append(args, "remote", c.sock.RemoteAddr())...)
		return
	}
	c.further++
}

// logSuppressed says at a connection's end how many complaints were not logged.
func (c *conn) logSuppressed(e *effects) {
	if c.further > 0 {
		e.lines = append(e.lines, logLine{
			slog.LevelWarn, "more of the same on a connection was not logged",
			[]any{"lines", c.further, "remote", c.sock.RemoteAddr()},
		})
	}
}

// Complain logs that a request is none that its handler can take.
func (r Ref) Complain(msg string, args ...any) {
	_, ok := r.enter()
	defer r.leave()
	if ok {
		r.conn.complain(complainHTTP, msg, args...)
	}
}
