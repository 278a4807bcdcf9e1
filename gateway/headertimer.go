package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

var errHeaderTimeout = errors.New("no response header in time")

// A headerTimer limits how long the gateway waits for the application's header.
// It does not run while the gateway waits for the client's body instead.
type headerTimer struct {
	limit time.Duration // 0: no limit

	mu      sync.Mutex
	timer   *time.Timer // nil before start, and without a limit
	stopped bool
}

func (x *exchange) newHeaderTimer() *headerTimer {
	return &headerTimer{limit: limit.Of(x.handler.ResponseHeaderTimeout, DefaultResponseHeaderTimeout, 0)}
}

// start starts the timer. Should it run out, cancel is called with
// errHeaderTimeout.
func (t *headerTimer) start(cancel context.CancelCauseFunc) {
	if t.limit == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(t.limit, func() { cancel(errHeaderTimeout) })
}

// pause stops the timer until resume.
func (t *headerTimer) pause() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}

// resume starts the timer again, with its whole limit: the application has got
// something new to work on.
func (t *headerTimer) resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil && !t.stopped {
		t.timer.Reset(t.limit)
	}
}

func (t *headerTimer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
