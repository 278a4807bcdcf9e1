package limit

import (
	"sync"
	"time"
)

// A Timer limits a wait for one party. It stands still while another is waited for
// instead. The zero value never runs out.
type Timer struct {
	limit time.Duration // 0: none

	mu      sync.Mutex
	timer   *time.Timer // nil before Start, and without a limit
	stopped bool
}

// NewTimer returns a Timer that runs out d after its Start; zero is never.
func NewTimer(d time.Duration) *Timer { return &Timer{limit: d} }

// Start starts the timer. Should it run out, then is called, in a goroutine of its
// own.
func (t *Timer) Start(then func()) {
	if t.limit == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(t.limit, then)
}

// Pause stops the timer until Resume.
func (t *Timer) Pause() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}

// Resume starts the timer again, with its whole limit: who is waited for has got
// something new to work on.
func (t *Timer) Resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil && !t.stopped {
		t.timer.Reset(t.limit)
	}
}

// Stop ends the wait.
func (t *Timer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
