package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A conn is one connection from a web server: the protocol, the exchanges on
// it, and what waits to be sent. It is what a driver moves bytes for.
//
// Events are handled with mu held. What they lead to is noted, and done where mu
// is given back: callbacks by endTurn, everything else by leave (see effects), so
// whoever takes mu gives it back with one of them.
type conn struct {
	// Immutable.
	engine  *Engine
	sock    driver.Socket
	id      int64
	surplus bool            // beyond MaxConns: it is told so and closed
	base    context.Context // from ConnContext; nil if there is none
	unwatch func() bool     // ends the watch over base; nil if there is none

	mu          mutex
	proto       protocol.Conn
	state       connState
	active      []*exchange // begun, and not ended for the web server
	broken      error       // why nothing can be sent any more
	unreadInput bool        // more than the record in progress may be on its way
	unreadBody  bool        // and it may be content, of a body that is announced, not only the end of one
	held        int         // bytes drawn from the memory budget
	outHeld     int         // bytes of these that are output
	goodbyes
	deadlines
	flow
	sender
	turn
	complaints
	effects effects
}

// enter takes mu.
func (c *conn) enter() { c.mu.Lock() }

// leave closes the connection if it has nothing left to do, sends what there is to
// send, and gives mu back with all that was put off until then.
func (c *conn) leave() {
	budget := turnLimit
	for c.maybeClose(); budget > 0 && c.nextOutput(); c.maybeClose() {
		n := c.inFlight.size()
		budget -= n
		c.turnLeft -= n
		done, err := c.send()
		if !done {
			break // Sent will go on
		}
		c.sent(err)
	}
	if budget <= 0 {
		c.sendLater()
	}
	c.release()
}

// Sent implements driver.Conn.
func (c *conn) Sent(err error) {
	c.enter()
	c.sent(err)
	c.leave()
}

// Receive implements driver.Conn.
func (c *conn) Receive(p []byte, now driver.Instant) {
	c.beginTurn(now)
	c.engine.counters.bytesIn.Add(int64(len(p)))
	c.heard(len(p))
	for len(p) > 0 && c.state.accepts() {
		ev, rest, err := c.proto.Next(p)
		if err != nil {
			c.violated(ev, err.(*protocol.Error))
		} else {
			c.handle(ev)
		}
		p = rest
	}
	if !c.proto.KeepConn() && c.state.accepts() {
		c.on(evRetire)
	}
	c.takeReplies()
	c.schedule(now)
	c.endTurn()
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
	c.lastID = x.id
	c.active = append(c.active, x)
	if len(c.active) > 1 {
		c.share()
	} else {
		c.alone()
		c.tellState(ConnActive)
	}
	if c.state == connParting {
		c.on(evLastRequest)
	}
	c.proto.Attach(x.id, x)
	c.engine.counters.requests.Add(1)
	switch {
	case c.surplus:
		// Closed as well, or a web server that keeps it would be refused for as
		// long as it does, whatever room there is by then.
		c.on(evRetire)
		c.refuse(x, "too many connections")
	case c.state == connDraining && len(c.active) > 1, c.toldLast:
		c.refuse(x, "shutting down")
	case !x.chargeItself():
		c.refuse(x, "out of memory budget")
	}
}

// params collects parameters and starts the request after the last.
func (c *conn) params(x *exchange, ev protocol.Event) {
	switch {
	case !ev.End:
		if !x.addParams(ev.Data) {
			c.refuse(x, "out of memory budget")
		}
	case x.on(evComplete):
		c.meet(x)
		if c.engine.limiter.acquire(x) {
			c.start(x)
		}
	}
}

// start hands an exchange that has its place to its handler.
func (c *conn) start(x *exchange) {
	if x.on(evStart) {
		c.notify(x, noticeStart)
	}
}

// refuse answers OVERLOADED to a request that has not started.
func (c *conn) refuse(x *exchange, why string) {
	c.engine.counters.overloaded.Add(1)
	c.complain(complainRefused, "request refused", "reason", why)
	x.end(evEnd, ending{status: protocol.StatusOverloaded})
}

// abort acts on ABORT_REQUEST. Once a handler has the request, END_REQUEST is
// the handler's to send: it is truly a response from the application (§5.4).
func (c *conn) abort(x *exchange, ev protocol.Event) {
	switch {
	case ev.End: // END_REQUEST is among the replies
		c.engine.counters.aborted.Add(1)
		x.end(evEnd, ending{silent: true})
	case x.state == stateQueued:
		x.end(evEnd, ending{cause: ErrAborted})
	default:
		x.abort(ErrAborted)
	}
	c.adjustFlow()
}

// violated acts on a violation of the protocol or of a limit.
func (c *conn) violated(ev protocol.Event, err *protocol.Error) {
	c.engine.counters.protocolErrors.Add(1)
	c.complain(complainInput, "bad input from web server", "error", err)
	if err.Scope == protocol.ScopeRequest {
		x := ev.User.(*exchange)
		x.end(evEnd, ending{page: statusOf(err), appStatus: failedStatus})
		return
	}
	c.drop(fmt.Errorf("%w: %w", ErrDisconnected, err))
	c.on(evClose)
}

// failedStatus is the appStatus of a request that the engine ended, or whose
// handler broke off on purpose.
const failedStatus = 1

// statusOf returns the HTTP status for parameters that are not accepted.
func statusOf(err *protocol.Error) int {
	if err.Err == protocol.ErrNUL {
		return 400
	}
	return 431
}

// drop ends all requests without a word to the web server, which will not listen.
func (c *conn) drop(cause error) {
	for _, x := range slices.Clone(c.active) {
		x.end(evEnd, ending{silent: true, cause: cause})
	}
}

// context returns what the contexts of the connection's requests derive from.
func (c *conn) context() context.Context {
	if c.base != nil {
		return c.base
	}
	return c.engine.BaseContext
}
