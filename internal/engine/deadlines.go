package engine

import (
	"log/slog"
	"slices"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	// lingerIdle is how long a connection that was answered before all its
	// input had come waits for the next piece of it, and lingerMax for all.
	lingerIdle = 5 * time.Second
	lingerMax  = 30 * time.Second
	// lingerEnd is lingerIdle when the server shuts down and all that may come is
	// the end of a body, which is on its way by then. A web server that looks at an
	// idle connection only when it has a request, as Apache does, would have the
	// new process wait for as long.
	lingerEnd = 200 * time.Millisecond
)

// maxRecord is the size of the largest record in bytes (§3.3).
const maxRecord = protocol.HeaderLen + protocol.MaxContentLen + protocol.MaxPaddingLen

// The deadlines of a connection. There is at most one at a time, and the
// socket's is only ever moved forward: a request that ends just in time leaves
// it where it is, and when it comes, Expire looks at what is due by then. So a
// busy connection sets one a minute, not two a request. Guarded by conn.mu.
type deadlines struct {
	now          driver.Instant // when the loop came to the connection, while it is there
	accepted     driver.Instant
	partialSince driver.Instant // since when a record is incomplete with nothing active
	lingerSince  driver.Instant
	idleSince    driver.Instant // since when there is no request
	due          driver.Instant // zero: never
	armed        driver.Instant // what the socket was told
	partialBytes int            // that came since partialSince
	idleBytes    int            // that came since idleSince
}

// heard notes that n bytes have arrived.
func (c *conn) heard(n int) {
	c.partialBytes += n
	c.idleBytes += n
	switch c.state {
	case connFresh, connFreshDraining:
		c.on(evSpoke)
		c.restIdle(c.now)
	case connLingering:
		c.due = driver.Earlier(c.now.After(c.lingerIdle()), c.lingerSince.After(lingerMax))
	}
}

// clock returns the time, without asking for it where that is known already.
func (c *conn) clock() driver.Instant {
	if c.inTurn {
		return c.now
	}
	return driver.Now()
}

// beginLinger sets the deadline for the web server to close its side.
func (c *conn) beginLinger() {
	c.lingerSince = c.clock()
	c.due = c.lingerSince.After(c.lingerIdle())
	c.arm()
}

// lingerIdle returns how long the next piece of input is waited for.
func (c *conn) lingerIdle() time.Duration {
	if c.engine.Draining() && !c.unreadBody {
		return lingerEnd
	}
	return lingerIdle
}

// restIdle begins to count IdleTimeout anew.
func (c *conn) restIdle(now driver.Instant) { c.idleSince, c.idleBytes = now, 0 }

// schedule works out what is due next.
//
// Idle is time without a request, whatever else comes. Only the rest of a body that
// was answered before it was read is more than that, as long as it does come.
func (c *conn) schedule(now driver.Instant) {
	if !c.state.accepts() {
		c.arm()
		return
	}
	e := c.engine
	switch {
	case c.proto.Idle() || len(c.active) > 0:
		c.partialSince = 0
	case c.partialSince == 0 || c.partialBytes > maxRecord:
		// After so many bytes it is another record: the rest of a large body,
		// for instance, that was answered before it was read.
		c.partialSince, c.partialBytes = now, 0
	}
	if len(c.active) == 0 && c.unreadInput && c.idleBytes > maxRecord {
		c.restIdle(now)
	}
	switch {
	case c.state == connFresh || c.state == connFreshDraining:
		c.due = after(c.accepted, e.FirstByteTimeout)
	case len(c.active) == 0:
		c.due = driver.Earlier(after(c.idleSince, e.IdleTimeout), c.partialDue())
	default:
		c.due = c.nextRequestDue()
	}
	c.arm()
}

// partialDue returns when a record that no request is waiting for is to be whole.
func (c *conn) partialDue() driver.Instant { return after(c.partialSince, c.engine.ParamsTimeout) }

// nextRequestDue returns the first of the deadlines of requests: for their
// parameters to be complete, and for more of a body that somebody waits for.
func (c *conn) nextRequestDue() driver.Instant {
	var next driver.Instant
	for _, x := range c.active {
		next = driver.Earlier(next, x.due())
	}
	return next
}

// due returns the deadline of a request.
func (x *exchange) due() driver.Instant {
	switch {
	case x.state == stateReceiving:
		return after(x.began, x.conn.engine.ParamsTimeout)
	case x.awaitsInput():
		return after(x.heard, x.conn.engine.BodyTimeout)
	}
	return 0
}

// arm tells the socket of a deadline that is earlier than the one it knows.
func (c *conn) arm() {
	if c.due == 0 || c.armed != 0 && c.due >= c.armed {
		return
	}
	c.armed = c.due
	c.sock.SetDeadline(c.due)
}

// Expire implements driver.Conn.
func (c *conn) Expire(now driver.Instant) {
	c.beginTurn(now)
	c.armed = 0
	switch {
	case c.due == 0:
		c.sock.SetDeadline(0)
	case now < c.due:
		c.arm()
	default:
		c.expired(now)
	}
	c.endTurn()
}

// expired acts on a deadline that passed.
func (c *conn) expired(now driver.Instant) {
	remote := c.sock.RemoteAddr()
	switch {
	case c.state.socketClosed():
		return
	case c.state == connLingering:
		c.on(evClose)
	case c.state == connFresh || c.state == connFreshDraining:
		c.log(slog.LevelInfo, "connection closed: no byte within FirstByteTimeout", "remote", remote)
		c.on(evClose)
	case len(c.active) == 0 && c.sendsAnswer():
		// Not idle: the last answer is still on its way, and WriteTimeout sees to
		// it that this ends.
		c.partialSince = 0
		c.restIdle(now)
	case c.partialSince != 0 && c.partialDue() != 0 && now >= c.partialDue():
		c.warn("connection closed: record incomplete after ParamsTimeout", "remote", remote)
		c.on(evClose)
	case len(c.active) == 0:
		c.log(slog.LevelDebug, "connection closed: idle", "remote", remote)
		c.on(evClose)
	default:
		c.expireRequests(now)
	}
	c.schedule(now)
}

// expireRequests acts on the deadlines of requests. A connection that has none left
// is closed: its peer is slow on purpose, or gone.
func (c *conn) expireRequests(now driver.Instant) {
	for _, x := range slices.Clone(c.active) {
		if due := x.due(); due == 0 || now < due {
			continue
		}
		if x.state != stateReceiving {
			c.complain(complainLate, "body given up: silent for BodyTimeout", "request", x.id)
			x.inputFailed(ErrBodyTimeout)
			continue
		}
		c.complain(complainLate, "request ended: parameters incomplete after ParamsTimeout", "request", x.id)
		x.end(evEnd, ending{page: 408, appStatus: failedStatus})
	}
	if len(c.active) == 0 {
		c.on(evRetire)
	}
}

// after returns t+d, or zero if either is: no deadline.
func after(t driver.Instant, d time.Duration) driver.Instant {
	if t == 0 || d <= 0 {
		return 0
	}
	return t.After(d)
}
