//go:build linux

// Command fcgiclient calls with github.com/tomasen/fcgi_client.
package main

import (
	"errors"

	"github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
	fcgiclient "github.com/tomasen/fcgi_client"
)

func main() { caller.Main(newCall) }

func newCall(t caller.Task) (caller.Call, error) {
	if t.Keep || t.Multiplex {
		return nil, errors.New("fcgi_client has a connection for each request")
	}
	params := t.ParamMap()
	buf := make([]byte, caller.BufferSize)
	return func(a *harness.Answer) error {
		c, err := fcgiclient.Dial(t.Network, t.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		resp, err := c.Do(params, t.NewBody())
		if err != nil {
			return err
		}
		return caller.TakeCGI(a, resp, buf)
	}, nil
}
