package client

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// The defaults of [Check].
const (
	DefaultCheckInterval = 5 * time.Second
	DefaultCheckTimeout  = 2 * time.Second
	DefaultRise          = 2
	DefaultFall          = 3
)

// A Check is how a [Balancer] finds out by itself whether an application is well. An application is taken for well until
// it is found otherwise.
//
// When one is found ill, requests that wait for its first byte and may be repeated go to others.
//
// In every number here, zero means the default, and below zero means no limit.
type Check struct {
	// Request returns the request to ask with, a new one each time. It must be set.
	Request func() *Request

	// Judge says what is wrong with an answer, or nil if it is well. It may read the response, until Timeout. If it is
	// nil, an answer is well that is complete, with appStatus 0 and an HTTP status below 500.
	Judge func(*Response) error

	// Interval is the time from the end of one check to the next, give or take a tenth, so that not all come at once.
	// The first check comes at once. The default is 5 s.
	Interval time.Duration

	// Timeout is how long a check may take, from connecting to the judgement. The default is 2 s.
	Timeout time.Duration

	// Rise is how many checks in a row have to find an application well that was found ill. The default is 2.
	Rise int

	// Fall is how many checks in a row have to find an application ill. The default is 3.
	Fall int
}

// check asks an application until it is removed or the Balancer closed.
func (b *Balancer) check(a *app) {
	interval := limit.Of(b.Check.Interval, DefaultCheckInterval, math.MaxInt64)
	for {
		b.checked(a, b.Check.ask(a.ctx, a.prober))
		if !sleep(a.ctx, jittered(interval)) {
			return
		}
	}
}

// sleep waits for d, or until a context ends: then it returns false.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// jittered is d, give or take a tenth.
func jittered(d time.Duration) time.Duration {
	if d > math.MaxInt64/2 {
		return d
	}
	return d - d/10 + rand.N(d/5+1)
}

// ask does one check.
func (k *Check) ask(ctx context.Context, prober *Client) error {
	if timeout := limit.Of(k.Timeout, DefaultCheckTimeout, 0); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	resp, _, err := prober.attempt(ctx, k.Request()) // it does not wait for one that is away
	if err != nil {
		return err
	}
	defer resp.Close()
	if k.Judge != nil {
		return k.Judge(resp)
	}
	return judge(resp)
}

// judge is what Check.Judge is by default.
func judge(resp *Response) error {
	head, _, err := ReadHead(resp)
	if err != nil {
		return err
	}
	end, err := resp.Wait()
	switch status := head.Status; {
	case err != nil:
		return err
	case end.AppStatus != 0:
		return fmt.Errorf("fastcgi: appStatus %d", end.AppStatus)
	case status >= 500:
		return fmt.Errorf("fastcgi: status %d", status)
	}
	return nil
}

// checked takes note of what a check has found.
func (b *Balancer) checked(a *app, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.ctx.Err() != nil {
		return
	}
	now := time.Now()
	h := &a.health
	if err != nil {
		h.passed, h.missed = 0, h.missed+1
		a.totals.checksFailed++
		a.totals.note(fmt.Errorf("check: %w", err), now)
		if h.missed >= limit.Of(b.Check.Fall, DefaultFall, math.MaxInt) {
			b.setHealth(a, checksFell, now)
		}
	} else {
		h.passed, h.missed = h.passed+1, 0
		if h.passed >= limit.Of(b.Check.Rise, DefaultRise, math.MaxInt) {
			b.setHealth(a, checksRose, now)
		}
	}
	b.dispatch(now)
}
