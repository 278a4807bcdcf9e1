package fastcgi

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
	c.enterLoop(driver.Now())
	c.eof = true
	c.logHangup(err)
	cause := c.endCause(err)
	for _, x := range slices.Clone(c.active) {
		c.inputEnded(x, cause)
	}
	switch {
	case !isEOF(err):
		c.breakDown(cause)
	case c.state == connLingering:
		c.shut()
	}
	c.stopPatience()
	c.leaveLoop()
}

// logHangup says that the web server went away in the middle of something, as
// it does when its client has: everyday, and still what somebody may look for.
func (c *conn) logHangup(err error) {
	if c.state != connOpen || len(c.active) == 0 && c.proto.Idle() {
		return
	}
	c.service.log.Debug("fastcgi: web server closed the connection", "error", err,
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

// inputEnded tells an exchange that nothing more arrives.
func (c *conn) inputEnded(x *exchange, cause error) {
	if x.stage != stageRunning {
		c.abandon(x, cause)
		return
	}
	x.cancelled(cause)
	for _, in := range []*input{&x.stdin, x.data} {
		in.fail(io.ErrUnexpectedEOF)
	}
	c.flush(x) // a filter has nothing to wait for any more
	x.wake()
	c.callBody(x)
}

// abandon ends an exchange without a word to the web server, which will not
// listen.
func (c *conn) abandon(x *exchange, cause error) {
	if x.stage == stageRunning {
		x.fail(cause)
		x.ended = true
		c.forget(x)
		return
	}
	if x.stage == stageWaiting {
		c.service.gate.cancel(x)
	}
	x.cancelled(cause)
	x.ended = true
	c.forget(x)
	x.release()
}

// Hangup implements driver.Conn.
func (c *conn) Hangup() {
	c.enterLoop(driver.Now())
	for _, x := range c.active {
		x.cancelled(ErrDisconnected)
	}
	c.leaveLoop()
}

// breakDown ends a connection to which nothing can be sent any more.
func (c *conn) breakDown(cause error) {
	if c.broken != nil {
		return
	}
	c.broken = cause
	c.dropOutput()
	for _, x := range slices.Clone(c.active) {
		c.abandon(x, cause)
	}
	c.shut()
}

// shut closes the socket.
func (c *conn) shut() {
	if c.state != connClosed {
		c.state = connClosed
		c.sock.Close()
	}
}

// decideClose closes the connection when it has nothing left to do.
func (c *conn) decideClose() {
	if c.state != connOpen || len(c.active) > 0 || c.sendingAnything() {
		return
	}
	if !c.proto.Done() && !c.eof && !c.closing && !(c.drain && c.spoke && c.proto.Idle()) {
		return
	}
	if c.eof || !c.linger && c.proto.Idle() {
		c.shut()
		return
	}
	// Closing now, with input unread, would reset the connection, and the web
	// server might lose the answer that it has not read yet.
	c.state = connLingering
	c.sock.CloseWrite()
	c.beginLinger()
	c.adjustFlow()
}

// beginDrain closes the connection as soon as it is idle. One that has not spoken
// yet is not: it was made for a request, which nobody else will answer.
func (c *conn) beginDrain() {
	c.mu.Lock()
	c.drain = true
	c.unlock()
}

// kill ends the connection and everything on it.
func (c *conn) kill(cause error) {
	c.mu.Lock()
	c.breakDown(cause)
	c.unlock()
}

// logSendError says why a connection ended while it was written to. That a web
// server hangs up is everyday; that it does not read is not.
func (c *conn) logSendError(err error) {
	level := slog.LevelDebug
	if errors.Is(err, os.ErrDeadlineExceeded) {
		level = slog.LevelWarn
	}
	c.service.log.Log(context.Background(), level, "fastcgi: cannot send to web server", "error", err, "remote", c.sock.RemoteAddr())
}
