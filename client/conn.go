package client

import (
	"context"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	// settleTimeout is how long a connection that is to be kept may take, after END_REQUEST, for what is left on both sides:
	// the record's padding, and the end of STDIN.
	settleTimeout = time.Second
	// abortTimeout is how long an application may take to end a request that was aborted, until its connection gets no
	// further ones.
	abortTimeout = 5 * time.Second
)

// A conn is a connection to the application. It carries one exchange at a time, or several if it is shared. Its readLoop runs
// as long as it is open, so that an application which closes or speaks out of turn between two requests is noticed at once.
//
// Of the two mutexes, conn.mu is taken before connPool.mu.
type conn struct {
	place // guarded by the pool's mutex, but for number and shared

	// Immutable.
	client *Client
	nc     net.Conn
	shared bool
	loops  sync.WaitGroup // readLoop, and, if it is shared, writeLoop

	room    sync.Cond // for readLoop, which waits for room for what it has read
	toWrite sync.Cond // for writeLoop, which waits for something to write
	written sync.Cond // for those who send, and wait for room or for the end of a write

	// Guarded by mu.
	mu        sync.Mutex
	proto     *protocol.Conn
	lastID    uint16
	served    int         // exchanges begun
	exchanges []*exchange // those that are not over
	due       int         // exchanges that were aborted and have no END_REQUEST yet
	givenUp   bool        // to be closed when it has no exchanges
	err       error       // why it was closed; nil while it is open
	newest    uint64      // the number of the connection that was begun last, when it was closed
	deadline  deadline
	idleSince time.Time
	output
}

func newConn(client *Client, nc net.Conn, number uint64, shared bool, most int) *conn {
	c := &conn{
		place:  place{number: number, most: most, full: most, left: math.MaxInt},
		client: client,
		nc:     nc,
		shared: shared,
		proto:  protocol.NewConn(protocol.WebServer, nil),
	}
	if shared { // otherwise mayKeep sees to it
		c.left = limit.Of(client.MaxRequestsPerConn, math.MaxInt, math.MaxInt)
	}
	c.room.L, c.toWrite.L, c.written.L = &c.mu, &c.mu, &c.mu
	return c
}

// start begins an exchange, of which all that is at hand is in line to be sent. It returns nil if the connection was closed
// meanwhile.
func (c *conn) start(ctx context.Context, req *Request, p *params) *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil
	}
	x := &exchange{
		conn:    c,
		keep:    c.mayKeep(),
		reused:  c.served > 0,
		begun:   c.position(),
		stderr:  req.Stderr,
		sending: true,
	}
	x.response.x = x
	x.change.L = &c.mu
	c.served++
	c.exchanges = append(c.exchanges, x)
	if len(c.exchanges) > 1 {
		c.room.Broadcast() // for one who has had the connection for himself
	}
	c.begin(x, req, p)
	if ctx.Done() != nil {
		x.stopWatching = context.AfterFunc(ctx, func() { x.fail(context.Cause(ctx)) })
	}
	return x
}

// open starts to use the connection; false means that the client is closed. Nobody can close the connection, and wait for its
// loops, before they are there.
func (c *conn) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.client.pool.add(c) {
		c.nc.Close()
		return false
	}
	c.loops.Go(c.readLoop)
	if c.shared {
		c.loops.Go(c.writeLoop)
	}
	return true
}

// nextID returns an id that is not active. On a connection for one request at a time it alternates between two small ones:
// a straggler of the last response, which an application sent after END_REQUEST, is so never taken for a part of the next.
// On a shared one it goes round.
func (c *conn) nextID() uint16 {
	if !c.shared {
		c.lastID = c.lastID%2 + 1
		return c.lastID
	}
	c.lastID++
	if c.lastID == protocol.ManagementID {
		c.lastID++
	}
	return c.lastID
}

// mayKeep reports whether the next exchange is to leave the connection open. A shared one is closed from here: without
// FCGI_KEEP_CONN the application would end it under the others.
func (c *conn) mayKeep() bool {
	most := c.client.MaxRequestsPerConn
	return c.shared || c.client.KeepConn && (most <= 0 || c.served+1 < most)
}

// close closes the connection and ends the exchanges on it.
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
	c.newest = c.client.pool.forget(c)
	for _, x := range c.exchanges {
		x.finish(err)
	}
	c.exchanges = nil
	c.room.Broadcast()
	c.toWrite.Broadcast()
	c.written.Broadcast()
}

// over ends an exchange whose connection stays open.
func (c *conn) over(x *exchange, err error) {
	i := slices.Index(c.exchanges, x)
	c.exchanges = slices.Delete(c.exchanges, i, i+1)
	x.finish(err)
}

// settle ends the exchange once nothing of it is left on either side, and keeps the connection for the next one. On a shared
// one there is nothing to wait for: what is still sent of the request is ignored.
func (c *conn) settle(x *exchange) {
	switch {
	case x.over || !x.ended, !c.shared && (x.sending || !c.proto.Idle()):
	case !x.keep || !c.release():
		c.closeLocked(errOver)
	default:
		c.over(x, nil)
		c.rest()
	}
}

// release gives the place of one exchange back; false means that the connection is to be closed.
func (c *conn) release() bool { return c.client.pool.release(c, c.client.maxIdle()) }

// abort gives an exchange of a shared connection up: the application is asked to end it, and its id and place are taken until
// it has.
func (c *conn) abort(x *exchange, err error) {
	c.due++
	c.out, _ = c.proto.Abort(c.out, x.id) // it is active, and was not aborted before
	c.toWrite.Signal()
	x.overdue = time.AfterFunc(abortTimeout, c.giveUp)
	c.over(x, err)
	c.closeIfGivenUp()
}

// aborted notes the end of an exchange that was given up.
func (c *conn) aborted(x *exchange) {
	x.overdue.Stop()
	c.due--
	if !c.release() {
		c.closeLocked(errOver)
		return
	}
	c.rest()
}

// giveUp lets no further request have a connection whose application does not end what was aborted.
func (c *conn) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client.pool.retire(c)
	c.givenUp = true
	c.closeIfGivenUp()
}

func (c *conn) closeIfGivenUp() {
	if c.givenUp && len(c.exchanges) == 0 {
		c.closeLocked(errOver)
	}
}

// A deadline is what a connection's deadline for reading is about.
type deadline uint8

const (
	deadlineNone deadline = iota
	deadlineIdle          // it may not come before IdleTimeout is over, but long before the next request
	deadlineSettle
)

// rest begins the idle timeout, if there is nothing to do. A deadline that is there already will do: setting one costs more
// than a look at the clock when it comes.
func (c *conn) rest() {
	if len(c.exchanges) > 0 || c.due > 0 {
		c.closeIfGivenUp()
		return
	}
	c.idleSince = time.Now()
	if c.deadline != deadlineIdle {
		c.awaitIdle()
	}
}

func (c *conn) awaitIdle() {
	idle := limit.Of(c.client.IdleTimeout, DefaultIdleTimeout, 0)
	switch {
	case idle > 0:
		c.setDeadline(deadlineIdle, c.idleSince.Add(idle))
	case c.deadline != deadlineNone:
		c.setDeadline(deadlineNone, time.Time{})
	}
}

func (c *conn) setDeadline(d deadline, at time.Time) {
	c.deadline = d
	c.nc.SetReadDeadline(at)
}

// expired acts on a deadline that has passed.
func (c *conn) expired() {
	switch {
	case c.deadline == deadlineSettle:
		c.closeLocked(errOver)
	case len(c.exchanges) > 0 || c.due > 0:
		c.setDeadline(deadlineNone, time.Time{})
	case time.Since(c.idleSince) < limit.Of(c.client.IdleTimeout, DefaultIdleTimeout, 0):
		c.awaitIdle()
	default:
		c.closeLocked(errOver)
	}
}
