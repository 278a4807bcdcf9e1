package driver

import "time"

// An Instant is a point in time on the monotonic clock, in nanoseconds since the
// process began: a third of what a time.Time takes, in every connection. Zero is
// no point in time.
type Instant int64

// began is a little before the process did, so that no instant is zero.
var began = time.Now().Add(-time.Millisecond)

// Now returns the present instant.
func Now() Instant { return Instant(time.Since(began)) }

// After returns the instant that is d later.
func (t Instant) After(d time.Duration) Instant { return t + Instant(d) }

// Sub returns how much later t is than u.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t - u) }

// Time returns t for package net; the zero Time for zero.
func (t Instant) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return began.Add(time.Duration(t))
}

// Earlier returns the earlier of two instants of which zero is never.
func Earlier(a, b Instant) Instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
