//go:build linux

// Command ours calls with this library's client.
package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/simple-fastcgi/fastcgi/client"
)

func main() {
	var made sync.Once
	var c *client.Client
	caller.Main(func(t caller.Task) (caller.Call, error) {
		made.Do(func() { c = newClient(t) })
		switch t.Way {
		case "", "client":
			return do(c, t), nil
		case "transport":
			return roundTrip(&client.Transport{Client: c}, t), nil
		}
		return nil, fmt.Errorf("-way %q: choose client or transport", t.Way)
	})
}

// newClient returns the client that all callers share.
func newClient(t caller.Task) *client.Client {
	c := &client.Client{Addr: t.Network + ":" + t.Addr, KeepConn: t.Keep, MaxIdle: t.Callers}
	if t.Multiplex {
		c.Multiplex, c.MaxConns = client.MultiplexOn, 1
	}
	return c
}

// do calls with Client.Do.
func do(c *client.Client, t caller.Task) caller.Call {
	var params []client.Pair
	for _, p := range t.Params() {
		params = append(params, client.Pair{Name: p[0], Value: p[1]})
	}
	buf := make([]byte, caller.BufferSize)
	return func(a *harness.Answer) error {
		resp, err := c.Do(context.Background(), &client.Request{Params: params, Stdin: t.NewBody()})
		if err != nil {
			return err
		}
		defer resp.Close()
		return caller.TakeCGI(a, resp, buf)
	}
}

// roundTrip calls with Transport.RoundTrip.
func roundTrip(tr *client.Transport, t caller.Task) caller.Call {
	buf := make([]byte, caller.BufferSize)
	return func(a *harness.Answer) error {
		req, err := t.NewRequest()
		if err != nil {
			return err
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			return err
		}
		return caller.TakeResponse(a, resp, buf)
	}
}
