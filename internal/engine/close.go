package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// ReceiveEnd implements driver.Conn.
func (c *conn) ReceiveEnd(err error) {
	c.beginTurn(driver.Now())
	c.logHangup(err)
	cause := c.endCause(err)
	if !isEOF(err) {
		c.fail(cause)
	}
	c.on(evInputEnd)
	for _, x := range slices.Clone(c.active) {
		c.inputEnded(x, cause)
	}
	c.stopSpillTimer()
	c.endTurn()
}

// logHangup says that the web server went away in the middle of something, as
// it does when its client has: everyday, and still what somebody may look for.
func (c *conn) logHangup(err error) {
	if !c.state.accepts() || len(c.active) == 0 && c.proto.Idle() {
		return
	}
	c.log(slog.LevelDebug, "web server closed the connection", "error", err,
		"active", len(c.active), "remote", c.sock.RemoteAddr())
}

// endCause returns what the end of the input means for the requests.
func (c *conn) endCause(err error) error {
	switch {
	case c.broken != nil:
		return c.broken
	case errors.Is(err, net.ErrClosed), isEOF(err):
		return ErrDisconnected
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, err)
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// inputEnded tells an exchange that nothing more arrives. What it answers is sent:
// the web server may have closed its sending half only.
func (c *conn) inputEnded(x *exchange, cause error) {
	if !x.state.hasHandler() {
		x.end(evEnd, ending{silent: true, cause: cause})
		return
	}
	x.setCause(cause)
	x.inputFailed(io.ErrUnexpectedEOF)
}

// Hangup implements driver.Conn.
func (c *conn) Hangup() {
	c.beginTurn(driver.Now())
	for _, x := range c.active {
		x.setCause(ErrDisconnected)
	}
	c.endTurn()
}

// fail ends a connection to which nothing can be sent any more.
func (c *conn) fail(cause error) {
	if c.broken != nil {
		return
	}
	c.broken = cause
	c.dropOutput()
	c.drop(cause)
	c.on(evClose)
}

// maybeClose looks whether the connection has nothing left to do.
func (c *conn) maybeClose() {
	if !c.state.leaving() || c.state.socketClosed() || len(c.active) > 0 || c.sendsAnything() {
		return
	}
	switch {
	case !c.proto.Idle():
		c.on(evQuietInside)
	case c.unreadInput:
		c.on(evQuietUnread)
	default:
		c.on(evQuiet)
	}
}

// drain has the connection end, and tells the async handlers on it. One that has not
// spoken yet goes on: it was made for a request, which nobody else will answer.
func (c *conn) drain() {
	c.enter()
	if len(c.active) > 0 || !c.proto.Idle() {
		c.on(evDrainBusy)
	} else {
		c.on(evDrain)
		c.owesGoodbye = true // behind what is still to be sent
		c.urge(sendSoon)
	}
	for _, x := range c.active {
		c.notifyShutdown(x)
	}
	c.leave()
}

// endGrace ends the wait for a request on an idle connection.
func (c *conn) endGrace() {
	c.enter()
	c.on(evGraceOver)
	c.leave()
}

// baseEnded tells all requests that what their contexts derive from has ended.
func (c *conn) baseEnded() {
	cause := context.Cause(c.context())
	c.enter()
	for _, x := range c.active {
		x.setCause(cause)
		x.wake()
	}
	c.leave()
}

// kill ends the connection and everything on it.
func (c *conn) kill(cause error) {
	c.enter()
	c.fail(cause)
	c.leave()
}

// logSendError says why a connection ended while it was written to. That a web
// server hangs up is everyday; that it does not read is not.
func (c *conn) logSendError(err error) {
	level := slog.LevelDebug
	if errors.Is(err, os.ErrDeadlineExceeded) {
		level = slog.LevelWarn
	}
	c.log(level, "cannot send to web server", "error", err, "remote", c.sock.RemoteAddr())
}
