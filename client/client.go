package client

import (
	"context"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// The defaults of [Client].
const (
	DefaultDialTimeout = 10 * time.Second
	DefaultIdleTimeout = 30 * time.Second
	DefaultMaxIdle     = 2
)

// A Client sends requests to one FastCGI application. The zero value with an
// Addr works: it makes a connection for each request.
//
// Its methods may be called concurrently. Its fields must not change after the
// first call. It must not be copied.
//
// In every number here, zero means the default, and below zero means no limit.
type Client struct {
	// Addr is where the application listens, such as "unix:/run/app.sock" or
	// "127.0.0.1:9000". The package's page has all forms.
	Addr string

	// Dial makes a connection in place of Addr, if it is not nil. Its context has
	// the deadline of DialTimeout, if there is one. It is called again where it
	// returns an error as package net does while nobody listens.
	Dial func(ctx context.Context) (net.Conn, error)

	// DialTimeout is how long making a connection may take. Until then it is tried
	// again while nobody listens, as during a restart, or the application's queue
	// of connections is full. The default is 10 s.
	DialTimeout time.Duration

	// KeepConn keeps connections open after a request, for the next one (§5.1,
	// FCGI_KEEP_CONN). A connection is used again only if the application has
	// ended the request, took all of it, and sent nothing since.
	//
	// A connection kept is a worker kept with php-fpm and other applications that
	// serve one connection at a time: see MaxConns. If PHP scripts go on after
	// fastcgi_finish_request, leave KeepConn unset, or set MaxConns and MaxIdle:
	// the next request on that connection waits until the script has ended.
	KeepConn bool

	// MaxConns is how many connections may exist at once, those kept idle
	// included. Requests beyond wait. Keep it below the number of the
	// application's workers where each serves one connection. The default is no
	// limit.
	//
	// With it, kept connections take turns: new ones are made until there are
	// MaxIdle or MaxConns of them, then the one that is idle for the longest is
	// next. Without it, it is the one that was used last.
	MaxConns int

	// MaxIdle is how many connections are kept idle. The default is 2. To keep
	// none, leave KeepConn unset.
	MaxIdle int

	// IdleTimeout is how long a connection is kept idle. It should be shorter
	// than what the application allows. The default is 30 s.
	IdleTimeout time.Duration

	// MaxRequestsPerConn is how many requests a connection is used for. The
	// default is no limit.
	MaxRequestsPerConn int

	// SplitPairs lets a parameter that is larger than a record continue in the
	// next one, as the specification allows. PHP and others read each record by
	// itself and cannot take that, so without SplitPairs it is a
	// ParamTooLargeError.
	SplitPairs bool

	pool connPool
}

// Do sends a request and returns its response once its first byte arrived, or,
// if it is empty, its end. The response must be closed. The context holds for
// the whole of it: once ctx is done, reading fails with its cause.
//
// The request goes on being sent while the response is read, so an application
// may answer before it has read everything, and one that echoes never blocks.
//
// If a kept connection turns out to be closed, the request is tried once more
// on one that is made for it, provided that no byte of a response arrived, that Stdin and
// Data are nil or can Seek, and that the application either cannot have seen
// the request or may see it twice: its REQUEST_METHOD is GET, HEAD, OPTIONS or
// TRACE.
//
// The error is a *RefusedError if the application refused the request, a
// *protocol.Error if it broke the protocol, a *ParamTooLargeError, or wraps
// ErrClosed, the context's cause, io.ErrUnexpectedEOF (the connection was
// closed before END_REQUEST), what Stdin returned, or an error of package net.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	if err := req.check(c.SplitPairs); err != nil {
		return nil, err
	}
	rewinder := newRewinder(req.Stdin, req.Data)
	x, err := c.try(ctx, req, c.acquire)
	if x != nil && err != nil && x.mayRepeat(req, rewinder) {
		// If one kept connection is dead, the application was restarted and the
		// others are dead as well.
		c.CloseIdle()
		x, err = c.try(ctx, req, c.acquireNew)
	}
	if err != nil {
		return nil, err
	}
	return &Response{x: x}, nil
}

// try runs a request on one connection, which acquire gets, up to the first byte
// of its response. It returns the exchange, if it came to that, along with the
// error.
func (c *Client) try(ctx context.Context, req *Request, acquire func(context.Context) (*conn, error)) (*exchange, error) {
	for {
		conn, err := acquire(ctx)
		if err != nil {
			return nil, err
		}
		if x := conn.start(ctx, req); x != nil {
			return x, x.awaitFirst()
		}
		// The connection died between the pool and here.
		c.pool.release()
	}
}

// mayRepeat reports whether a request that failed in x may be tried again, and
// prepares it for that.
func (x *exchange) mayRepeat(req *Request, w *rewinder) bool {
	if !x.stale() || !w.ok {
		return false
	}
	// The goroutine that sends uses the bodies; with the connection closed, and
	// bodies that can seek, it ends soon.
	<-x.sendDone
	if x.delivered && !req.idempotent() {
		return false
	}
	return w.rewind()
}

// CloseIdle closes the connections that are kept idle.
func (c *Client) CloseIdle() {
	for _, conn := range c.pool.takeAll() {
		conn.close(errResponseClosed)
		<-conn.done
	}
}

// Close ends all requests in progress with ErrClosed, closes all connections and
// waits for the goroutines that read them. Later calls of Do fail with
// ErrClosed.
func (c *Client) Close() error {
	for _, conn := range c.pool.close() {
		conn.close(ErrClosed)
		<-conn.done
	}
	return nil
}

// acquire returns a connection for one request: a kept one or a new one. It
// waits while there are MaxConns. The caller holds a place in the pool until
// the request is over.
func (c *Client) acquire(ctx context.Context) (*conn, error) {
	kept, nc, err := c.connect(ctx, true)
	if err != nil || kept != nil {
		return kept, err
	}
	return c.open(nc)
}

// acquireNew is acquire for a request that a kept connection has failed: another
// kept one may be as dead, and nobody has noticed yet.
func (c *Client) acquireNew(ctx context.Context) (*conn, error) {
	_, nc, err := c.connect(ctx, false)
	if err != nil {
		return nil, err
	}
	return c.open(nc)
}

// connect takes a place in the pool and returns a connection: a kept one if
// reuse is set and there is one, else one that it makes. While the application
// is away, it waits without a place, so that others find out at once.
func (c *Client) connect(ctx context.Context, reuse bool) (kept *conn, made net.Conn, err error) {
	var a *attempt
	for {
		if err := c.pool.acquire(ctx, c.MaxConns); err != nil {
			return nil, nil, fmt.Errorf("fastcgi: waiting for a connection: %w", err)
		}
		if !reuse {
			c.makeRoom()
		} else if kept := c.pool.take(c.maxIdle()); kept != nil {
			return kept, nil, nil
		}
		if a == nil {
			a = c.newAttempt()
		}
		nc, err := a.dial(ctx)
		if err == nil {
			return nil, nc, nil
		}
		c.pool.unmade()
		c.pool.release()
		if err := a.again(ctx, err); err != nil {
			return nil, nil, err
		}
	}
}

// makeRoom closes an idle connection, if there is one, before a new one is made
// all the same: its worker may be the only one, or MaxConns the limit.
func (c *Client) makeRoom() {
	if conn := c.pool.makeRoom(); conn != nil {
		conn.close(errResponseClosed)
	}
}

func (c *Client) maxIdle() int { return limit.Of(c.MaxIdle, DefaultMaxIdle, math.MaxInt) }

// open begins to use a connection, in the place of the request that made it.
func (c *Client) open(nc net.Conn) (*conn, error) {
	conn := newConn(c, nc)
	if !c.pool.add(conn) {
		nc.Close()
		c.pool.release()
		return nil, ErrClosed
	}
	go conn.readLoop()
	return conn, nil
}
