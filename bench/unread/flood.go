//go:build linux

package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A flood is the connections that ask and read nothing.
type flood struct {
	asked []byte // what each sends
	one   int    // bytes of a request
	sent  atomic.Int64
	open  atomic.Int64 // connections that are there
	conns int

	last    int64 // what had been sent when settled was asked
	since   time.Time
	ended   sync.WaitGroup
	endConn context.CancelFunc
}

// quiet is how long nothing more must be taken for a flood to have settled.
const quiet = 10 * time.Second

// newFlood begins to open the connections.
func newFlood(ctx context.Context, s *settings, socket string) *flood {
	f := &flood{conns: s.conns}
	var block []byte
	for _, p := range parameters("") {
		block = protocol.AppendPair(block, p.Name, p.Value)
	}
	for id := uint16(1); id <= uint16(s.requests); id++ {
		f.asked = protocol.AppendBeginRequest(f.asked, id, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
		f.asked = protocol.AppendStream(f.asked, protocol.TypeParams, id, block)
		f.asked = protocol.AppendStreamEnd(f.asked, protocol.TypeParams, id)
		f.asked = protocol.AppendStreamEnd(f.asked, protocol.TypeStdin, id)
	}
	f.one = len(f.asked) / s.requests
	ctx, f.endConn = context.WithCancel(ctx)
	f.ended.Go(func() {
		for range s.conns {
			c, err := dial(ctx, socket)
			if err != nil {
				return
			}
			f.open.Add(1)
			f.ended.Go(func() { f.run(ctx, c) })
		}
	})
	return f
}

// dial makes a connection: again and again, while the server does not listen yet or its
// backlog is full.
func dial(ctx context.Context, socket string) (net.Conn, error) {
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", socket)
		if err == nil || ctx.Err() != nil {
			return c, err
		}
		time.Sleep(time.Millisecond)
	}
}

// run sends what there is to ask, as far as it is taken.
func (f *flood) run(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	for p := f.asked; len(p) > 0; {
		n, err := c.Write(p[:min(len(p), f.one)])
		f.sent.Add(int64(n))
		if p = p[n:]; err != nil {
			return
		}
	}
	<-ctx.Done()
}

// settled reports whether all connections are there and nothing more is taken.
func (f *flood) settled() bool {
	n := f.sent.Load()
	if n != f.last || f.open.Load() < int64(f.conns) {
		f.last, f.since = n, time.Now()
	}
	return time.Since(f.since) > quiet
}

// taken is how many requests have left, be it only for the socket's buffer.
func (f *flood) taken() int { return int(f.sent.Load()) / f.one }

// close ends all connections.
func (f *flood) close() {
	f.endConn()
	f.ended.Wait()
}
