package fastcgi

import "time"

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
	x, c := s.x, s.conn
	if !s.awaitsRest() {
		return
	}
	c.flush(x)
	began := time.Now()
	until := began.Add(restPatience)
	for s.awaitsRest() && time.Now().Before(until) {
		switch {
		case c.maySend():
			c.unlock()
			c.mu.Lock()
		case x.stdin.waiting() > 0:
			x.dropInput(&x.stdin)
			c.consumed(x)
			until = minTime(time.Now().Add(restPatience), began.Add(restMax))
		default:
			s.await(until)
		}
	}
}

// awaitsRest reports whether there is more of the body to come, and it matters.
func (s *syncCall) awaitsRest() bool {
	x, c := s.x, s.conn
	return c.keepConn && !c.eof && !c.drain && x.is(s.gen) && x.role == RoleResponder && !x.stdin.over() &&
		x.cause == nil && x.writable() == nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
