package client

import (
	"context"
	"fmt"
	"net"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// dial makes a connection within DialTimeout.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	connect, err := c.connector()
	if err != nil {
		return nil, err
	}
	within, cancel := ctx, context.CancelFunc(func() {})
	if timeout := limit.Of(c.DialTimeout, DefaultDialTimeout, 0); timeout > 0 {
		within, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	nc, err := connect(within)
	if err == nil {
		return nc, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("fastcgi: dial %s: %w", c.target(), err)
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
