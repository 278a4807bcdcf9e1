package fastcgi

import (
	"context"
	"net"
	"net/http"
)

// A ConnInfo tells the hooks of a Server which connection they are called for.
type ConnInfo struct {
	// ID is another for each connection of a Server, from 1 on.
	ID int64
	// RemoteAddr is the web server's address. On a Unix socket it rarely has a
	// name.
	RemoteAddr net.Addr
}

// ConnInfo returns the connection that the request came on.
func (r *Request) ConnInfo() ConnInfo { return r.conn.info() }

// ConnInfo returns the connection that the request came on.
func (ex Exchange) ConnInfo() ConnInfo { return ex.conn.info() }

func (c *conn) info() ConnInfo { return ConnInfo{c.id, c.sock.RemoteAddr()} }

// introduce calls the hooks for a new connection.
func (c *conn) introduce() {
	if c.service.connContext != nil {
		c.setContext()
	}
	if c.service.connState != nil {
		c.tellState(http.StateNew)
	}
}

func (c *conn) setContext() {
	defer c.service.recoverCallback()
	c.base = c.service.connContext(c.service.base, c.info())
	if c.base == nil {
		panic("fastcgi: ConnContext returned nil")
	}
}

// context returns what the contexts of the connection's requests derive from.
func (c *conn) context() context.Context {
	if c.base != nil {
		return c.base
	}
	return c.service.base
}

// changeState has ConnState called, if there is one. The states are calls on the
// loop among the others, so they come in their order.
func (c *conn) changeState(what callKind) {
	if c.service.connState != nil {
		c.post(call{what: what})
	}
}

// tellState makes such a call.
func (c *conn) tellState(state http.ConnState) {
	defer c.service.recoverCallback()
	c.service.connState(c.info(), state)
}
