package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// settleTimeout is how long a connection that is to be kept may take, after
// END_REQUEST, for what is left on both sides: the record's padding, and the end
// of STDIN.
const settleTimeout = time.Second

// A conn is a connection to the application. It carries one exchange at a time;
// readLoop runs as long as it is open, so that an application which closes or
// speaks out of turn between two requests is noticed at once.
type conn struct {
	// Immutable.
	client *Client
	nc     net.Conn
	done   chan struct{} // closed by readLoop at its end

	// change is signalled when anything about the exchange changes.
	change sync.Cond

	// Guarded by mu.
	mu     sync.Mutex
	proto  *protocol.Conn
	lastID uint16
	served int       // exchanges begun
	x      *exchange // nil while idle
	err    error     // why it was closed; nil while it is open
}

func newConn(client *Client, nc net.Conn) *conn {
	c := &conn{
		client: client,
		nc:     nc,
		done:   make(chan struct{}),
		proto:  protocol.NewConn(protocol.WebServer, nil),
	}
	c.change.L = &c.mu
	return c
}

// start begins an exchange and has it sent. It returns nil if the connection
// was closed meanwhile.
func (c *conn) start(ctx context.Context, req *Request) *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil
	}
	// The end of the idle timeout.
	c.nc.SetReadDeadline(time.Time{})
	x := &exchange{
		conn:     c,
		id:       c.nextID(),
		keep:     c.mayKeep(),
		reused:   c.served > 0,
		stderr:   req.Stderr,
		sending:  true,
		sendDone: make(chan struct{}),
	}
	c.served++
	c.x = x
	x.stopWatching = context.AfterFunc(ctx, func() { x.fail(context.Cause(ctx)) })
	go x.send(c.head(x, req), req)
	return x
}

// nextID alternates between two small ids. A straggler of the last response,
// which an application sent after END_REQUEST, is so never taken for a part of
// the next.
func (c *conn) nextID() uint16 {
	c.lastID = c.lastID%2 + 1
	return c.lastID
}

// mayKeep reports whether the next exchange is to leave the connection open.
func (c *conn) mayKeep() bool {
	most := c.client.MaxRequestsPerConn
	return c.client.KeepConn && (most <= 0 || c.served+1 < most)
}

// close closes the connection and ends the exchange on it.
func (c *conn) close(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(err)
}

func (c *conn) closeLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.nc.Close()
	c.client.pool.forget(c)
	if c.x != nil {
		c.finish(err)
	}
}

// finish ends the exchange, with the application's END_REQUEST if it came, else
// with err.
func (c *conn) finish(err error) {
	x := c.x
	c.x = nil
	x.over = true
	switch {
	case !x.ended:
		x.err = err
	case x.end.Status != protocol.StatusRequestComplete:
		x.err = &RefusedError{Status: x.end.Status, AppStatus: x.end.AppStatus}
	}
	x.stopWatching()
	c.client.pool.release()
	c.change.Broadcast()
}

// settle ends the exchange once nothing of it is left on either side, and keeps
// the connection for the next one.
func (c *conn) settle() {
	if c.x == nil || !c.x.ended || c.x.sending || !c.proto.Idle() {
		return
	}
	var idleEnd time.Time // none
	if idle := limit.Of(c.client.IdleTimeout, DefaultIdleTimeout, 0); idle > 0 {
		idleEnd = time.Now().Add(idle)
	}
	c.nc.SetReadDeadline(idleEnd)
	x := c.x
	if !x.keep || !c.client.pool.put(c, c.client.maxIdle()) {
		c.closeLocked(errOver)
		return
	}
	c.finish(nil)
}

// readLoop reads until the connection is closed, by either side.
func (c *conn) readLoop() {
	defer close(c.done)
	buf := pool.Get(chunkLen)[:chunkLen]
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
	case err == nil:
	case c.x == nil:
		c.closeLocked(lostConnection(err))
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.x.ended:
		// The idle timeout struck while the exchange began.
	default:
		c.x.lost = true
		c.closeLocked(lostConnection(err))
	}
	c.change.Broadcast()
	return c.err == nil
}

// lostConnection says what a failed Read means in the middle of an exchange.
func lostConnection(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("fastcgi: connection lost before END_REQUEST: %w", err)
}

// take hands what arrived to the exchange. It gives up mu while it waits for
// room and while STDERR is written, so the exchange may end meanwhile.
func (c *conn) take(p []byte) error {
	for len(p) > 0 && c.err == nil {
		if c.x == nil {
			return errUnsolicited
		}
		c.x.answered = true
		if c.x.ended {
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

// takePadding takes what may follow END_REQUEST, the rest of its record. Next
// would also skip records that follow and tell nothing of them, so it is given
// no byte more than the padding has.
func (c *conn) takePadding(p []byte) ([]byte, error) {
	if c.proto.Idle() {
		return nil, errUnsolicited
	}
	_, _, err := c.proto.Next(p[:1])
	c.settle()
	return p[1:], err
}

func (c *conn) handle(ev protocol.Event) {
	switch ev.Type {
	case protocol.TypeStdout:
		c.x.put(ev.Data)
	case protocol.TypeStderr:
		c.x.putStderr(ev.Data)
	case protocol.TypeEndRequest:
		c.ended(ev)
	}
	// An answer to GET_VALUES that nobody asked for is ignored, as are streams
	// of requests that do not exist.
}

// ended notes END_REQUEST.
func (c *conn) ended(ev protocol.Event) {
	c.x.ended = true
	c.x.end = protocol.EndRequest{AppStatus: ev.AppStatus, Status: ev.Status}
	if !c.x.keep || !ev.End {
		// In the middle of STDIN there is no next request, unless the
		// application reads what it did not want.
		c.closeLocked(errOver)
		return
	}
	// Takes an empty padding, which is not taken before the next byte arrives.
	c.proto.Next(nil)
	c.nc.SetReadDeadline(time.Now().Add(settleTimeout))
	c.settle()
}
