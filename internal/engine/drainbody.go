package engine

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	// drainIdle is how long a request that is answered waits for more of its
	// body, and drainMax for all of it.
	drainIdle = 200 * time.Millisecond
	drainMax  = lingerMax
)

// release ends a request whose handler is done with it. An error page does not wait
// for the rest of the body. It is called with the connection's mutex held.
func (c *Call) release(e ending) {
	x := c.x
	if e.page != 0 && !x.responded && c.bodyDraining() {
		// It fails only if nothing can be written, and then nobody waits for it.
		_, _ = x.write(protocol.TypeStdout, x.errorPage(e.page))
	}
	c.drainBody()
	if x.serves(c.gen) { // or an async handler that used Run has finished it
		x.end(evRelease, e)
	}
}

// drainBody reads what the handler has left of the body, on a connection that is
// kept, before END_REQUEST. The answer goes out meanwhile. The connection is of
// no other use until the body has passed, and some web servers do not expect the
// end of a request that they are still sending: HAProxy keeps its client waiting,
// H2O breaks down. Others, as nginx, stop sending once they are answered, so the
// wait has an end. It is called with the connection's mutex held.
func (c *Call) drainBody() {
	if !c.bodyDraining() {
		return
	}
	x := c.x
	c.conn.enqueue(x)
	now := driver.Now()
	end := now.After(drainMax)
	until := now.After(drainIdle)
	for ; c.bodyDraining() && now < until; now = driver.Now() {
		if x.stdin.waiting() == 0 {
			c.await(x, until.Time())
			continue
		}
		x.stdin.drop()
		c.conn.consumed(x)
		until = driver.Earlier(now.After(drainIdle), end)
	}
}

// bodyDraining reports whether there is more of the body to come, and it matters.
func (c *Call) bodyDraining() bool {
	x, cn := c.x, c.conn
	keeps := cn.proto.KeepConn() && (cn.state == connOpen || cn.state == connFresh)
	return keeps && x.serves(c.gen) && x.role == protocol.RoleResponder && !x.stdin.over() &&
		!x.upgraded && x.cause == nil && x.writable() == nil
}
