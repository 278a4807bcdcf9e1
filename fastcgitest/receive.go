package fastcgitest

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// over reports whether nothing more is to be read.
func (c *Call) over() bool { return c.ended || c.failed != nil }

// receive reads from the connection once.
func (c *Call) receive() {
	buf := make([]byte, 16<<10)
	n, err := c.conn.Read(buf)
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := buf[:n]; len(p) > 0 && !c.over(); {
		var ev protocol.Event
		ev, p, c.failed = c.proto.Next(p)
		switch ev.Type {
		case protocol.TypeStdout:
			c.resp.Stdout = append(c.resp.Stdout, ev.Data...)
		case protocol.TypeStderr:
			c.resp.Stderr = append(c.resp.Stderr, ev.Data...)
		case protocol.TypeEndRequest:
			c.ended = true
			c.resp.AppStatus, c.resp.ProtocolStatus = ev.AppStatus, ev.Status
		}
	}
	if !c.over() && err != nil {
		c.failed = err
	}
}

// finish ends all that belongs to the call, and returns what Wait returns.
func (c *Call) finish() (*Response, error) {
	if c.finished {
		return &c.resp, c.err
	}
	c.finished = true
	c.stop()
	cause := c.hangUp(errOver)
	c.listener.Close()
	sent := c.awaitSent()
	served := <-c.served
	if c.owned {
		c.closeServer()
	}
	headErr := c.resp.parse()
	switch {
	case c.ended:
		c.err = c.answered(headErr)
	default:
		c.err = c.brokenOff(cause, served)
	}
	if c.err == nil && !sent {
		c.err = fmt.Errorf("fastcgitest: the request has ended, but a Read of its body has not: " +
			"a reader that blocks is to be an io.Closer, as that of an io.Pipe")
	}
	return &c.resp, c.err
}

// awaitSent waits until the request's readers are not in use any more. It returns
// false if that was not before the end of the context.
func (c *Call) awaitSent() bool {
	select {
	case <-c.sent:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// closeServer ends a server that nobody else has. It waits for the handler, which
// may go on after the end of the connection, unless the context has ended.
func (c *Call) closeServer() {
	if c.srv.Shutdown(c.ctx) != nil {
		c.srv.Close()
	}
}

// answered returns what is wrong with a request that END_REQUEST has ended.
func (c *Call) answered(headErr error) error {
	switch {
	case c.resp.ProtocolStatus != protocol.StatusRequestComplete:
		return fmt.Errorf("fastcgitest: the server refused the request in the role %v: %v", c.req.role(), c.resp.ProtocolStatus)
	case headErr == nil || c.aborted:
		return nil
	case len(c.resp.Stdout) == 0:
		return fmt.Errorf("fastcgitest: the handler wrote no response: %s", c.resp.excerpt())
	}
	return fmt.Errorf("fastcgitest: what the handler wrote is no CGI response: %w: %s", headErr, c.resp.excerpt())
}

// brokenOff returns why END_REQUEST has not come: because this end closed the
// connection, or else the server did.
func (c *Call) brokenOff(cause, served error) error {
	switch {
	case c.ctx.Err() != nil && errors.Is(cause, context.Cause(c.ctx)):
		return fmt.Errorf("fastcgitest: the context ended before the request did: %w: %s", cause, c.resp.excerpt())
	case cause != nil:
		return fmt.Errorf("fastcgitest: the connection was closed before the request ended: %w: %s", cause, c.resp.excerpt())
	case served != nil && !errors.Is(served, net.ErrClosed):
		return fmt.Errorf("fastcgitest: the server ended before the request did: %w", served)
	}
	return fmt.Errorf("fastcgitest: the server closed the connection before the request ended: %w: %s", c.failed, c.resp.excerpt())
}
