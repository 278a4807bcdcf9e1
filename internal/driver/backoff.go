package driver

import (
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	minDelay = 5 * time.Millisecond
	maxDelay = time.Second
)

// A Backoff says how long accepting pauses after an error: 5 ms, doubled each
// time up to 1 s. EMFILE and its like pass as soon as connections close, and a
// loop that tried again at once would take the processor that closes them.
type Backoff struct{ delay time.Duration }

// Next returns how long to pause after err, and false if err is final.
func (b *Backoff) Next(err error) (time.Duration, bool) {
	if errors.Is(err, net.ErrClosed) || !temporary(err) {
		return 0, false
	}
	b.delay = min(max(2*b.delay, minDelay), maxDelay)
	return b.delay, true
}

// Reset is for when accepting has worked again.
func (b *Backoff) Reset() { b.delay = 0 }

// temporary reports whether an error of accept may pass. The standard library
// deprecates asking, but not for accept, and net/http asks the same. It does not
// count a lack of kernel memory, which passes as well.
func temporary(err error) bool {
	if errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ENOBUFS) {
		return true
	}
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}
