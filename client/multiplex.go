package client

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Multiplex says whether requests share connections (§3, §4.1). Most applications answer one request after the other on a
// connection: php-fpm and all that stand on libfcgi do. Those made with this module and with net/http/fcgi answer several at
// once, in whatever order they are done.
type Multiplex int

// The ways of a [Client].
const (
	MultiplexOff Multiplex = iota // one request at a time on a connection
	MultiplexOn                   // several, the application takes them
	MultiplexAsk                  // several if the application says so in answer to GET_VALUES, which is remembered
)

// DefaultMaxActivePerConn is the default of [Client].MaxActivePerConn.
const DefaultMaxActivePerConn = 32

// A negotiation is what is known of an application. The zero value is nothing.
type negotiation struct {
	known atomic.Int32 // a sharing

	mu     sync.Mutex
	asking chan struct{} // closed when the one who asks is done; nil if nobody does
	room   int           // what FCGI_MAX_REQS says, if it does
}

// What a negotiation knows.
const (
	sharingUnknown int32 = iota
	sharingNo
	sharingYes
)

// shares reports whether requests share connections, and asks the application if nobody knows.
func (c *Client) shares(ctx context.Context) (bool, error) {
	n := &c.negotiation
	for {
		switch {
		case c.Multiplex == MultiplexOff:
			return false, nil
		case n.known.Load() != sharingUnknown:
			return n.known.Load() == sharingYes, nil
		case c.Multiplex == MultiplexOn:
			n.known.CompareAndSwap(sharingUnknown, sharingYes)
			continue
		}
		n.mu.Lock()
		if n.known.Load() != sharingUnknown { // since just now
			n.mu.Unlock()
			continue
		}
		asking := n.asking
		if asking == nil {
			n.asking = make(chan struct{})
		}
		n.mu.Unlock()
		if asking == nil {
			err := c.ask(ctx)
			switch {
			case errors.Is(err, syscall.ECONNRESET):
				return false, nil // it is being restarted, and may know next time
			case err != nil:
				return false, err
			}
			continue
		}
		select {
		case <-asking:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// ask asks the application, for all who want to know.
func (c *Client) ask(ctx context.Context) error {
	n := &c.negotiation
	values, err := c.GetValues(ctx, protocol.VarMpxsConns, protocol.VarMaxReqs)
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.asking)
	n.asking = nil
	if err != nil && (!errors.Is(err, ErrNoValues) || errors.Is(err, syscall.ECONNRESET)) {
		return err // it was not reached, so who comes next asks again
	}
	sharing := sharingNo
	if values[protocol.VarMpxsConns] == "1" {
		sharing = sharingYes
		n.room, _ = strconv.Atoi(values[protocol.VarMaxReqs])
	}
	n.known.CompareAndSwap(sharingUnknown, sharing)
	return nil
}

// unshare is for an application that has said, when it was asked to, that it does not serve requests side by side.
func (c *Client) unshare() {
	if c.negotiation.known.Swap(sharingNo) == sharingNo {
		return
	}
	for _, conn := range c.pool.unshare() {
		conn.close(errOver)
	}
}

// room returns for how many requests a connection has room.
func (c *Client) room(shared bool) int {
	if !shared {
		return 1
	}
	// Ids have 16 bits, and 0 is none.
	most := min(limit.Of(c.MaxActivePerConn, DefaultMaxActivePerConn, maxIDs), maxIDs)
	most = min(most, limit.Of(c.MaxRequestsPerConn, maxIDs, maxIDs))
	c.negotiation.mu.Lock()
	defer c.negotiation.mu.Unlock()
	if c.negotiation.room > 0 {
		most = min(most, c.negotiation.room)
	}
	return most
}

const maxIDs = 1<<16 - 1
