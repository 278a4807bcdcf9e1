package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	// probeTimeout is how long an application may take to answer before serve goes on without.
	probeTimeout = 1500 * time.Millisecond

	// keptConns is how many connections are kept with an application that can serve them side by side.
	keptConns = 32

	// manyConns is where an application's own limit stops mattering.
	manyConns = 1 << 16
)

// Capabilities are what an application says of itself when it is asked with GET_VALUES (§4.1).
type capabilities struct {
	maxConns    int  // connections that one of its processes serves at once; 0 where it does not say
	multiplexes bool // it serves several requests on one connection
	err         error
}

// ask asks the application. Many answer as soon as they are ready, so that is also how to wait for that.
func ask(ctx context.Context, addr string) capabilities {
	c := client.Client{Addr: addr}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	values, err := c.GetValues(ctx)
	caps := capabilities{multiplexes: values[protocol.VarMpxsConns] == "1", err: err}
	if n, err := strconv.Atoi(values[protocol.VarMaxConns]); err == nil && n > 0 {
		caps.maxConns = n
	}
	return caps
}

// client is a client that keeps to what the application said.
//
// An application that serves one connection at a time, as those on libfcgi do, is busy for as long as a connection is
// kept, so connections are kept only with those that say that they serve several. Requests beyond what all workers can
// serve wait here, in order, and not in the socket's queue, which refuses connections when it is full.
func (caps capabilities) client(addr string, workers int) *client.Client {
	c := &client.Client{Addr: addr, MaxIdle: keptConns}
	c.KeepConn = caps.maxConns > 1 || caps.maxConns == 0 && caps.multiplexes
	if caps.maxConns < manyConns {
		c.MaxConns = caps.maxConns * workers
	}
	return c
}

// isSilent reports whether the application took no notice of the question, or is not ready to yet.
func (caps capabilities) isSilent() bool { return errors.Is(caps.err, context.DeadlineExceeded) }

// isForeign reports whether what it answered is not FastCGI.
func (caps capabilities) isForeign() bool {
	var broken *protocol.Error
	return errors.As(caps.err, &broken)
}
