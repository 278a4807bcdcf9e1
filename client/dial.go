package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// dial makes a connection within DialTimeout.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	timeout := c.DialTimeout
	if timeout == 0 {
		timeout = DefaultDialTimeout
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nc, err := c.connect(within)
	if err == nil {
		return nc, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("fastcgi: dial %s: %w", c.target(), err)
}

func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx)
	}
	network, address, err := splitAddr(c.Addr)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// target names what is dialled, for errors.
func (c *Client) target() string {
	if c.Dial != nil {
		return "application"
	}
	return c.Addr
}

// splitAddr cuts "unix:/path" and "tcp:host:port" into what package net takes.
func splitAddr(addr string) (network, address string, err error) {
	network, address, _ = strings.Cut(addr, ":")
	switch network {
	case "unix", "tcp", "tcp4", "tcp6":
		if address != "" {
			return network, address, nil
		}
	}
	return "", "", errors.New("an address is unix:/path or tcp:host:port")
}

// orDefault returns d, or def where d is zero.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
