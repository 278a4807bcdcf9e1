package supervise

import "time"

const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 10 * time.Second

	// healthyLife is how long a process must live for its end to count as the first again. It equals the longest
	// pause, so that a worker that dies right after each start is never started oftener than every 10 s for long.
	healthyLife = 10 * time.Second
)

// A backoff remembers how long to pause before a worker's next start. The zero value has seen no end yet.
type backoff struct{ last time.Duration }

// after returns the pause that follows a process which lived so long.
func (b *backoff) after(lived time.Duration) time.Duration {
	if lived >= healthyLife {
		b.last = 0
	}
	b.last = min(max(2*b.last, shortestPause), longestPause)
	return b.last
}
