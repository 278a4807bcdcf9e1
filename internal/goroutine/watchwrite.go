package goroutine

import (
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A writeWatch looks for progress of a write from outside: one through TLS must not be interrupted for that, as a write
// that has timed out is the last one of its connection. While the peer makes progress, the write's deadline is moved.
type writeWatch struct {
	socket *socket

	mu    sync.Mutex
	stall driver.Stall
	over  bool // all is written
	timer *time.Timer
}

// looksFromOutside reports whether writes are to be watched.
func (s *socket) looksFromOutside() bool {
	return s.raw == nil && s.under != nil && s.driver.WriteTimeout > 0 && driver.SeesQueue
}

// writeWatched is writePending for TLS.
func (s *socket) writeWatched(parts [][]byte) error {
	w := &writeWatch{socket: s}
	w.took()
	defer w.stop()
	for _, p := range parts {
		for len(p) > 0 {
			n, err := s.writePiece(p)
			if err != nil {
				return err
			}
			p = p[n:]
			w.took()
		}
	}
	return nil
}

// took says that a piece was written, or that writing begins.
func (w *writeWatch) took() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stall.Took(driver.Now())
	w.arm()
}

// arm sets the deadline, and when to look next. It is called with mu held.
func (w *writeWatch) arm() {
	timeout := w.socket.driver.WriteTimeout
	// It fails on closed connections only, as the write then does.
	_ = w.socket.nc.SetWriteDeadline(w.stall.End(timeout).Time())
	next := w.stall.Due(timeout).Sub(driver.Now())
	if w.timer == nil {
		w.timer = time.AfterFunc(next, w.look)
	} else {
		w.timer.Reset(next)
	}
}

// look asks the system how much it still holds for the peer. If there is no progress, the deadline comes.
func (w *writeWatch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var queued int
	var ok bool
	// It fails on closed connections only.
	_ = w.socket.under.Control(func(fd uintptr) { queued, ok = driver.Queued(fd) })
	if !w.over && !w.stall.Check(driver.Now(), w.socket.driver.WriteTimeout, queued, ok) {
		w.arm()
	}
}

func (w *writeWatch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
	// Or it would fail what is tried long after.
	_ = w.socket.nc.SetWriteDeadline(time.Time{})
}
