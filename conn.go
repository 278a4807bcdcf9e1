package fastcgi

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A conn is one connection from a web server: the protocol, the exchanges on
// it, and what waits to be sent. It is what a driver moves bytes for.
//
// Events are handled with mu held. What they lead to is noted, and done where mu
// is released: callbacks by leaveLoop, everything else (sending, closing, giving
// up places in the gate) by unlock, so every method that takes mu ends with one of
// them.
type conn struct {
	// Immutable.
	service *service
	sock    driver.Socket
	over    bool // beyond MaxConns: not served
	id      int64
	base    context.Context // from ConnContext; nil if there is none

	mu      sync.Mutex
	proto   protocol.Conn
	state   connState
	active  []*exchange // begun and not ended
	broken  error       // why nothing can be sent any more
	eof     bool        // nothing more arrives
	gone    bool        // taken off the service's list
	linger  bool        // more than the record in progress may be on its way
	closing bool        // to be closed as soon as nothing is active
	drain   bool        // the server is shutting down
	leaving int         // exchanges that give up their place in the gate
	deadlines
	flow
	sender
	calls
}

// A connState is a connection's way to its end.
type connState uint8

const (
	connOpen connState = iota
	connLingering
	connClosed
)

// unlock does what was put off while mu was held, and releases it.
func (c *conn) unlock() {
	left := turnLimit
	for c.decideClose(); left > 0 && c.nextOutput(); c.decideClose() {
		left -= c.wire.size()
		c.turnLeft -= c.wire.size()
		done, err := c.send()
		if !done {
			break // Sent will go on
		}
		c.sent(err)
	}
	if left <= 0 {
		c.sendLater()
	}
	c.release()
}

// release releases mu, and gives up places in the gate and, at its end, the
// connection's on the service's list.
func (c *conn) release() {
	leaving := c.leaving
	c.leaving = 0
	gone := c.eof && c.state == connClosed && !c.gone
	c.gone = c.gone || gone
	if gone && c.service.connState != nil {
		c.changeState(callClosed)
		gone = false // not before that was told
	}
	c.mu.Unlock()
	for range leaving {
		c.service.gate.leave()
	}
	if gone {
		c.service.remove(c)
	}
}

// Sent implements driver.Conn.
func (c *conn) Sent(err error) {
	c.mu.Lock()
	c.sent(err)
	c.unlock()
}

// Receive implements driver.Conn.
func (c *conn) Receive(p []byte, now driver.Instant) {
	c.enterLoop(now)
	c.service.stats.bytesIn.Add(int64(len(p)))
	c.heard(len(p))
	for len(p) > 0 && c.state == connOpen {
		ev, rest, err := c.proto.Next(p)
		if err != nil {
			c.violated(ev, err.(*protocol.Error))
		} else {
			c.handle(ev)
		}
		p = rest
	}
	c.takeReplies()
	c.schedule(now)
	c.leaveLoop()
}

// handle acts on an event.
func (c *conn) handle(ev protocol.Event) {
	x, _ := ev.User.(*exchange)
	switch ev.Type {
	case protocol.TypeBeginRequest:
		c.begin(ev)
	case protocol.TypeParams:
		c.params(x, ev)
	case protocol.TypeStdin:
		c.input(x, &x.stdin, ev)
	case protocol.TypeData:
		c.input(x, x.data, ev)
	case protocol.TypeAbortRequest:
		c.abort(x, ev)
	}
}

// begin makes an exchange for a new request.
func (c *conn) begin(ev protocol.Event) {
	x := newExchange(c, ev, c.now)
	c.active = append(c.active, x)
	if len(c.active) > 1 {
		c.multiplexed = true
	} else {
		c.impatient = false
		c.changeState(callActive)
	}
	c.keepConn = ev.KeepConn
	c.proto.Attach(x.id, x)
	c.service.stats.requests.Add(1)
	switch {
	case c.over:
		// Closed as well, or a web server that keeps it would be refused for as
		// long as it does, whatever room there is by then.
		c.closing = true
		c.refuse(x, "too many connections")
	case c.drain && len(c.active) > 1:
		c.refuse(x, "shutting down")
	}
}

// params collects parameters and starts the request after the last.
func (c *conn) params(x *exchange, ev protocol.Event) {
	switch {
	case !ev.End:
		if !x.addParams(ev.Data) {
			c.refuse(x, "out of memory budget")
		}
	default:
		x.stage = stageWaiting
		if c.service.gate.enter(x) {
			c.start(x)
		}
	}
}

// start hands an exchange that has its place in the gate to its handler.
func (c *conn) start(x *exchange) {
	x.stage = stageRunning
	c.call(x, callStart)
}

// refuse answers OVERLOADED to a request that has not started.
func (c *conn) refuse(x *exchange, why string) {
	c.service.stats.overloaded.Add(1)
	c.service.log.Warn("fastcgi: request refused", "reason", why, "remote", c.sock.RemoteAddr())
	x.end(protocol.EndRequest{Status: protocol.StatusOverloaded})
	x.release()
}

// abort acts on ABORT_REQUEST. Once a handler has the request, END_REQUEST is
// the handler's to send: it is truly a response from the application (§5.4).
func (c *conn) abort(x *exchange, ev protocol.Event) {
	switch {
	case ev.End:
		c.service.stats.aborted.Add(1)
		x.ended = true
		c.forget(x)
		x.release()
	case x.stage == stageWaiting:
		c.service.gate.cancel(x)
		x.cancelled(ErrAborted)
		x.finish(0)
	default:
		x.fail(ErrAborted)
	}
	c.adjustFlow()
}

// violated acts on a violation of the protocol or of a limit.
func (c *conn) violated(ev protocol.Event, err *protocol.Error) {
	c.service.stats.protocolErrors.Add(1)
	c.service.log.Warn("fastcgi: bad input from web server", "error", err, "remote", c.sock.RemoteAddr())
	if err.Scope == protocol.ScopeRequest {
		x := ev.User.(*exchange)
		x.answerError(statusOf(err), 1)
		x.release()
		return
	}
	cause := fmt.Errorf("%w: %w", ErrDisconnected, err)
	for _, x := range slices.Clone(c.active) {
		c.abandon(x, cause)
	}
	c.shut()
}

// statusOf returns the HTTP status for parameters that are not accepted.
func statusOf(err *protocol.Error) int {
	if err.Err == protocol.ErrNUL {
		return 400
	}
	return 431
}

// forget takes an exchange off the list of active ones.
func (c *conn) forget(x *exchange) {
	if i := slices.Index(c.active, x); i >= 0 {
		c.active = slices.Delete(c.active, i, i+1)
		if len(c.active) == 0 {
			c.changeState(callIdle)
		}
	}
	c.adjustFlow()
	c.schedule(c.clock())
}
