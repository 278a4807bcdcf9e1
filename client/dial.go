package client

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/address"
)

// dial makes a connection within DialTimeout.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	connect, err := c.connector()
	if err != nil {
		return nil, err
	}
	timeout := c.DialTimeout
	if timeout == 0 {
		timeout = DefaultDialTimeout
	}
	within, cancel := context.WithTimeout(ctx, timeout)
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

// orDefault returns d, or def where d is zero.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
