package client_test

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// dialError is what package net returns where the system says errno.
func dialError(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", errno)}
}

// awayUntil has c find, for a while after now, that the application is away, as err says. It counts the tries.
func awayUntil(c *client.Client, away time.Duration, err error) (tries *int) {
	back := time.Now().Add(away)
	dial := c.Dial
	tries = new(int)
	c.Dial = func(ctx context.Context) (net.Conn, error) {
		*tries++
		if time.Now().Before(back) {
			return nil, err
		}
		return dial(ctx)
	}
	return tries
}
