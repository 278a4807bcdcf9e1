package fastcgitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// requestID is the id of the one request on each connection.
const requestID = 1

// A Call is a request that a [fastcgi.Server] is answering, seen from the web
// server's end.
//
// Nothing of the answer is taken from the connection but by Read and Wait. A
// handler that writes much waits for them, or gets ErrFull, as with a web server
// that is slow.
//
// A Call ends with Wait, or with the context given to Start.
type Call struct {
	// Immutable.
	ctx      context.Context
	req      *Request
	srv      *fastcgi.Server
	owned    bool // srv is there for this call alone, which somebody waits for
	conn     net.Conn
	listener *listener
	served   chan error    // Serve -> finish: what it returned
	sent     chan struct{} // closed when nothing more of the request is sent
	stop     func() bool   // keeps the end of ctx from closing the connection

	// Held by putting a value in, while sending and while reading. A goroutine that
	// waits for a mutex would keep the clock of a synctest bubble from going on.
	sending, reading chan struct{}

	mu      sync.Mutex
	proto   *protocol.Conn
	aborted bool
	cause   error // why this end has closed the connection; nil if it has not

	// Guarded by reading.
	resp     Response
	taken    int   // bytes of STDOUT that Read has returned
	ended    bool  // END_REQUEST has come
	failed   error // why nothing more can be read
	finished bool
	err      error // what Wait returns
}

// Start sends a request to srv, over a connection of its own, and returns when srv
// has read its parameters. The body follows meanwhile. Call Wait in the end, or have
// ctx end: that closes the connection.
//
// Several calls of one server may go on at once. Start does not close the
// server: Server.Shutdown also waits for handlers that go on when the connection
// is closed.
func Start(ctx context.Context, srv *fastcgi.Server, req *Request) (*Call, error) {
	return start(ctx, srv, req, false)
}

func start(ctx context.Context, srv *fastcgi.Server, req *Request, owned bool) (*Call, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("fastcgitest: the request was not sent: %w", context.Cause(ctx))
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	params, err := req.block()
	if err != nil {
		return nil, err
	}
	c := newCall(ctx, srv, req, owned)
	if err := c.begin(params); err != nil {
		close(c.sent)
		if _, reason := c.Wait(); reason != nil {
			err = reason
		}
		return nil, err
	}
	go c.sendStreams()
	return c, nil
}

// newCall connects to the server.
func newCall(ctx context.Context, srv *fastcgi.Server, req *Request, owned bool) *Call {
	c := &Call{
		ctx: ctx, req: req, srv: srv, owned: owned,
		served: make(chan error, 1), sent: make(chan struct{}),
		sending: make(chan struct{}, 1), reading: make(chan struct{}, 1),
		proto: protocol.NewConn(protocol.WebServer, nil),
	}
	c.listener, c.conn = newListener()
	go func() { c.served <- srv.Serve(c.listener) }()
	c.stop = context.AfterFunc(ctx, c.cancel)
	return c
}

// Read reads what the application has written to FCGI_STDOUT, head and body, and
// waits if there is nothing. After a response that is whole it returns io.EOF; the
// error is that of Wait otherwise. What was read is part of Wait's Response too.
func (c *Call) Read(p []byte) (int, error) {
	c.reading <- struct{}{}
	defer func() { <-c.reading }()
	for len(p) > 0 && c.taken == len(c.resp.Stdout) {
		if c.over() {
			if _, err := c.finish(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
		c.receive()
	}
	n := copy(p, c.resp.Stdout[c.taken:])
	c.taken += n
	return n, nil
}

// Wait reads up to the end of the request and returns what was answered. It
// returns the same again when it is called again.
//
// The error says why a web server could not have passed the response on: the
// handler wrote no CGI response, the server refused the request, or the
// connection or the context ended before the request did. The Response is never nil:
// with an error, it has what there was until then. A request that was aborted
// needs no response.
//
// A handler that panics is no error: its server logs the stack, answers 500 if
// nothing was written before, and ends the request with appStatus 2.
func (c *Call) Wait() (*Response, error) {
	c.reading <- struct{}{}
	defer func() { <-c.reading }()
	for !c.over() {
		c.receive()
	}
	return c.finish()
}

// Abort sends ABORT_REQUEST (§5.4). The handler's context then ends with ErrAborted.
// No more of the body is sent, and Wait waits for the handler to end. If the server
// has stopped reading, because the handler leaves more of the body than
// Server.StdinBuffer, Abort waits for it.
func (c *Call) Abort() error {
	err := c.send(func(p *protocol.Conn) ([]byte, error) {
		out, err := p.Abort(nil, requestID)
		c.aborted = c.aborted || err == nil
		return out, err
	})
	if err != nil {
		return fmt.Errorf("fastcgitest: cannot abort: %w", err)
	}
	c.req.closeStreams()
	return nil
}

// Disconnect closes the connection, as a web server does whose client went away.
// The handler's context then ends with ErrDisconnected, and so do Read and Wait. What
// was not read yet is lost. A server that has stopped reading, as Abort has it, is
// told when it reads again.
func (c *Call) Disconnect() { c.hangUp(fastcgi.ErrDisconnected) }

// cancel is the end of the context.
func (c *Call) cancel() {
	c.hangUp(context.Cause(c.ctx))
	c.listener.Close()
}

// errOver is why the connection of a call that is over is closed.
var errOver = errors.New("fastcgitest: the request is over")

// hangUp closes the connection. It returns why it was closed before, nil if it was
// not.
func (c *Call) hangUp(cause error) (before error) {
	c.mu.Lock()
	before = c.cause
	if before == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	c.conn.Close()
	c.req.closeStreams()
	return before
}
