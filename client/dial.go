package client

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// How long a request waits before it looks again for an application that was not there: longer each time, up to
// mostPause.
const (
	firstPause = 5 * time.Millisecond
	mostPause  = 100 * time.Millisecond
)

// An attempt makes one connection, in several tries if the application is away for a moment, within DialTimeout.
type attempt struct {
	client *Client
	limit  time.Duration // 0: none
	left   time.Duration // of limit
	pause  time.Duration // before the next try
	away   error         // what the last try found, if that may pass
}

func (c *Client) newAttempt() *attempt {
	timeout := limit.Of(c.DialTimeout, DefaultDialTimeout, 0)
	return &attempt{client: c, limit: timeout, left: timeout, pause: firstPause}
}

// again waits for the next try after one that failed with err. It returns the
// error of the attempt if there is to be none.
func (a *attempt) again(ctx context.Context, err error) error {
	if a.away == nil {
		return err
	}
	pause := a.pause
	if a.limit > 0 {
		pause = min(pause, a.left)
	}
	a.pause = min(2*a.pause, mostPause)
	defer a.count(time.Now())
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return a.failed(context.Cause(ctx))
	case <-a.client.pool.closed:
		return ErrClosed
	}
	if a.limit > 0 && pause == a.left {
		return a.failed(a.away)
	}
	return nil
}

// count takes the time since start from what is left. What a request waits for a place in the pool does not count.
func (a *attempt) count(start time.Time) { a.left -= time.Since(start) }

// dial tries once to make a connection.
func (a *attempt) dial(ctx context.Context) (net.Conn, error) {
	connect, err := a.client.connector()
	if err != nil {
		return nil, err
	}
	within, cancel := ctx, context.CancelFunc(func() {})
	if a.limit > 0 {
		within, cancel = context.WithTimeout(ctx, a.left)
	}
	defer cancel()
	defer a.count(time.Now())
	nc, err := connect(within)
	before := a.away
	a.away = nil
	switch {
	case err == nil:
		return nc, nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case address.Away(err):
		a.away = err
	case within.Err() != nil && before != nil:
		// It was away, and the time ran out in the middle of the last try.
		err = before
	}
	return nil, a.failed(err)
}

func (a *attempt) failed(err error) error {
	return fmt.Errorf("fastcgi: dial %s: %w", a.client.target(), err)
}

// connector returns what makes a connection, or why Addr names nothing that can be dialled.
func (c *Client) connector() (func(context.Context) (net.Conn, error), error) {
	if c.Dial != nil {
		return c.Dial, nil
	}
	a, err := address.Parse(c.Addr)
	if err != nil {
		return nil, err
	}
	network, name, err := a.Target()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, name)
	}, nil
}

// target names what is dialled, for errors.
func (c *Client) target() string {
	if c.Dial != nil {
		return "application"
	}
	return c.Addr
}
