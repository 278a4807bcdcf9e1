package fastcgi

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

const (
	// restPatience is how long a request that is answered waits for more of its
	// body, and restMax for all of it.
	restPatience = 200 * time.Millisecond
	restMax      = lingerMax
)

// readRest reads what the handler has left of the body, on a connection that is
// kept, before END_REQUEST. The answer goes out meanwhile. The connection is of
// no other use until the body has passed, and some web servers do not expect the
// end of a request that they are still sending: HAProxy keeps its client waiting,
// H2O breaks down. Others, as nginx, stop sending once they are answered, so the
// wait has an end. It is called with the connection's mutex held.
func (s *syncCall) readRest() {
	if !s.awaitsRest() {
		return
	}
	x, c := s.x, s.conn
	c.flush(x)
	now := driver.Now()
	end := now.After(restMax)
	until := now.After(restPatience)
	for ; s.awaitsRest() && now < until; now = driver.Now() {
		if x.stdin.waiting() == 0 {
			s.await(until.Time())
			continue
		}
		x.dropInput(&x.stdin)
		c.consumed(x)
		until = driver.Earlier(now.After(restPatience), end)
	}
}

// awaitsRest reports whether there is more of the body to come, and it matters.
func (s *syncCall) awaitsRest() bool {
	x, c := s.x, s.conn
	return c.keepConn && !c.eof && !c.drain && x.is(s.gen) && x.role == RoleResponder && !x.stdin.over() &&
		x.cause == nil && x.writable() == nil
}
