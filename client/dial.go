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

// A dialing makes one connection, in several tries if the application is away for a moment, within DialTimeout.
type dialing struct {
	client *Client
	limit  time.Duration // 0: none
	left   time.Duration // of limit
	pause  time.Duration // before the next try
	once   bool          // there is none: somebody else may do
	away   error         // what the last try found, if that may pass
}

func (c *Client) newDialing() dialing {
	timeout := limit.Of(c.DialTimeout, DefaultDialTimeout, 0)
	return dialing{client: c, limit: timeout, left: timeout, pause: firstPause}
}

// again waits for the next try after one that failed with err. It returns the
// error of all tries if there is to be none.
func (d *dialing) again(ctx context.Context, err error) error {
	if d.away == nil {
		return err
	}
	return d.wait(ctx, d.away)
}

// wait is again for a try that failed because the application was away.
func (d *dialing) wait(ctx context.Context, away error) error {
	if d.once {
		return d.failed(away)
	}
	pause := d.pause
	if d.limit > 0 {
		pause = min(pause, d.left)
	}
	d.pause = min(2*d.pause, mostPause)
	defer d.count(time.Now())
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return d.failed(context.Cause(ctx))
	case <-d.client.pool.closed:
		return ErrClosed
	}
	if d.limit > 0 && pause == d.left {
		return d.failed(away)
	}
	return nil
}

// count takes the time since start from what is left. What a request waits for a place in the pool does not count.
func (d *dialing) count(start time.Time) { d.left -= time.Since(start) }

// dial tries once to make a connection.
func (d *dialing) dial(ctx context.Context) (net.Conn, error) {
	connect, err := d.client.connector()
	if err != nil {
		return nil, err
	}
	within, cancel := ctx, context.CancelFunc(func() {})
	if d.limit > 0 {
		within, cancel = context.WithTimeout(ctx, d.left)
	}
	defer cancel()
	defer d.count(time.Now())
	nc, err := connect(within)
	before := d.away
	d.away = nil
	switch {
	case err == nil:
		return nc, nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case address.Away(err):
		d.away = err
	case within.Err() != nil && before != nil:
		// It was away, and the time ran out in the middle of the last try.
		err = before
	}
	return nil, d.failed(err)
}

func (d *dialing) failed(err error) error { return &dialError{d.client.target(), err} }

// A dialError says that no connection could be made.
type dialError struct {
	target string
	err    error
}

func (e *dialError) Error() string { return fmt.Sprintf("fastcgi: dial %s: %v", e.target, e.err) }

func (e *dialError) Unwrap() error { return e.err }

// connector returns what makes a connection, or why Addr names nothing that can be dialled.
func (c *Client) connector() (func(context.Context) (net.Conn, error), error) {
	connect, err := c.plainConnector()
	if err != nil {
		return nil, err
	}
	a, ok, err := c.tlsTarget()
	if err != nil || !ok {
		return connect, err
	}
	return c.overTLS(a, connect)
}

// plainConnector is connector without TLS.
func (c *Client) plainConnector() (func(context.Context) (net.Conn, error), error) {
	if c.Dial != nil {
		return c.Dial, nil
	}
	addr, err := address.Parse(c.Addr)
	if err != nil {
		return nil, err
	}
	network, name, err := addr.Target()
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
