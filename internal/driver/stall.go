package driver

import "time"

// A Stall tells a peer that reads slowly from one that reads nothing, while
// something is being written to it.
//
// A socket that takes no bytes proves little: Linux calls a Unix socket writable
// when three quarters of its buffer are free, and not before. So the system is
// asked, four times in each timeout, how much it still holds for the peer; that it
// has become less is progress. A peer is given up a timeout after the last progress
// that was seen, which is at most a quarter of that after the last there was.
type Stall struct {
	since   Instant // when progress was seen last
	checked Instant // when it was looked for last
	queued  int     // what the system held then
	asked   bool    // and whether it was asked
}

// Took says that the socket has taken bytes at now, or that writing begins.
func (s *Stall) Took(now Instant) {
	*s = Stall{since: now, checked: now}
}

// Due returns when Check is to be called.
func (s *Stall) Due(timeout time.Duration) Instant {
	return Earlier(s.checked.After(max(timeout/4, 1)), s.End(timeout))
}

// End returns when the timeout is over if there is no progress.
func (s *Stall) End(timeout time.Duration) Instant { return s.since.After(timeout) }

// Check takes how many bytes the system holds for the peer, as Queued returns it,
// and reports whether the timeout is over.
func (s *Stall) Check(now Instant, timeout time.Duration, queued int, ok bool) bool {
	// What the peer has taken between the last write and the first look, nobody
	// knows.
	if ok && (!s.asked || queued < s.queued) {
		s.since = now
	}
	s.checked, s.queued, s.asked = now, queued, ok
	return s.End(timeout) <= now
}
