package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

var errHeaderTimeout = errors.New("no response header in time")

// patience is how long the gateway waits for the application's header. It does
// not run while the gateway waits for the client's body instead.
type patience struct {
	limit time.Duration // 0: no limit

	mu      sync.Mutex
	timer   *time.Timer // nil before start, and without a limit
	stopped bool
}

func (x *exchange) newPatience() *patience {
	return &patience{limit: limit.Of(x.handler.ResponseHeaderTimeout, DefaultResponseHeaderTimeout, 0)}
}

// start sets the clock. Should it run down, cancel is called with
// errHeaderTimeout.
func (p *patience) start(cancel context.CancelCauseFunc) {
	if p.limit == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(p.limit, func() { cancel(errHeaderTimeout) })
}

// pause stops the clock until resume.
func (p *patience) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
}

// resume sets the clock to its limit again: the application now has something
// new to think about.
func (p *patience) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil && !p.stopped {
		p.timer.Reset(p.limit)
	}
}

func (p *patience) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
