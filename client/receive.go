package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// readLen is how much is read from a connection at a time, in bytes.
const readLen = 32 << 10

// readLoop reads until the connection is closed, by either side.
func (c *conn) readLoop() {
	buf := pool.Get(readLen)[:readLen]
	defer pool.Put(buf)
	for {
		n, err := c.nc.Read(buf)
		if !c.received(buf[:n], err) {
			return
		}
	}
}

// received takes what arrived and reports whether to read on.
func (c *conn) received(p []byte, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if takeErr := c.take(p); takeErr != nil {
		c.closeLocked(takeErr)
	}
	switch {
	case err == nil || c.err != nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.expired()
	default:
		for _, x := range c.exchanges {
			x.lost = err
		}
		c.closeLocked(lostConnection(err))
	}
	return c.err == nil
}

// lostConnection says what a failed Read means in the middle of an exchange.
func lostConnection(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("fastcgi: connection lost before END_REQUEST: %w", err)
}

// take hands what arrived to the exchanges. It gives up mu while it waits for
// room, so they may end meanwhile.
func (c *conn) take(p []byte) error {
	for len(p) > 0 && c.err == nil {
		if c.resting() {
			var err error
			if p, err = c.takePadding(p); err != nil {
				return err
			}
			continue
		}
		ev, rest, err := c.proto.Next(p)
		if err != nil {
			return err
		}
		c.handle(ev)
		p = rest
	}
	return nil
}

// resting reports whether the application has nothing to say any more.
func (c *conn) resting() bool {
	if c.shared || len(c.exchanges) == 0 {
		return len(c.exchanges) == 0 && c.due == 0
	}
	x := c.exchanges[0]
	x.answered = true
	return x.ended
}

// takePadding takes what may follow END_REQUEST, the rest of its record. Next
// would also skip records that follow and tell nothing of them, so it is given
// no byte more than the padding has.
func (c *conn) takePadding(p []byte) ([]byte, error) {
	if c.proto.Idle() {
		return nil, errUnsolicited
	}
	_, _, err := c.proto.Next(p[:1])
	if len(c.exchanges) > 0 {
		c.settle(c.exchanges[0])
	}
	return p[1:], err
}

// handle acts on an event. An answer to GET_VALUES that nobody asked for is
// ignored, as are streams of requests that do not exist.
func (c *conn) handle(ev protocol.Event) {
	x, ok := ev.User.(*exchange)
	if !ok {
		return
	}
	x.answered = true
	switch ev.Type {
	case protocol.TypeStdout:
		x.putStdout(ev.Data)
	case protocol.TypeStderr:
		x.putStderr(ev.Data)
	case protocol.TypeEndRequest:
		c.ended(x, ev)
	}
}

// ended notes END_REQUEST.
func (c *conn) ended(x *exchange, ev protocol.Event) {
	if x.over {
		c.aborted(x)
		return
	}
	x.ended = true
	x.end = protocol.EndRequest{AppStatus: ev.AppStatus, Status: ev.Status}
	// Takes an empty padding, which is not taken before the next byte arrives.
	c.proto.Next(nil)
	switch {
	case c.shared:
		c.noteCrowd(x)
	case !x.keep || !ev.End:
		// In the middle of STDIN there is no next request, unless the
		// application reads what it did not want.
		c.closeLocked(errOver)
		return
	}
	c.settle(x)
	if !x.over {
		c.setDeadline(deadlineSettle, time.Now().Add(settleTimeout))
	}
}

// noteCrowd notes that the application has as many requests on the connection
// as it takes.
func (c *conn) noteCrowd(x *exchange) {
	others := len(c.exchanges) - 1 + c.due
	switch x.end.Status {
	case protocol.StatusCantMultiplex, protocol.StatusOverloaded:
		if others > 0 {
			x.crowded = true
			c.client.pool.limit(c, others)
		}
	}
}
