package driver

import (
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	minRest = 5 * time.Millisecond
	maxRest = time.Second
)

// A Backoff says how long accepting rests after an error: 5 ms, doubled each
// time up to 1 s. EMFILE and its like pass as soon as connections close, and a
// loop that tried again at once would take the processor that closes them.
type Backoff struct{ rest time.Duration }

// Next returns how long to rest after err, and false if err is final.
func (b *Backoff) Next(err error) (time.Duration, bool) {
	if errors.Is(err, net.ErrClosed) || !temporary(err) {
		return 0, false
	}
	b.rest = min(max(2*b.rest, minRest), maxRest)
	return b.rest, true
}

// Reset is for when accepting has worked again.
func (b *Backoff) Reset() { b.rest = 0 }

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
