package engine

import "context"

func (c *conn) info() ConnInfo { return ConnInfo{c.id, c.sock.RemoteAddr()} }

// callHooks calls the hooks for a new connection. Nobody could go on with it if they
// ended the goroutine that accepts, so they have one of their own.
func (c *conn) callHooks() {
	if c.engine.ConnContext != nil {
		c.engine.Apart(c.setContext)
	}
	if c.engine.ConnState != nil {
		c.engine.Apart(func() { c.callState(ConnNew) })
	}
}

func (c *conn) setContext() {
	c.base = c.engine.ConnContext(c.engine.BaseContext, c.info())
	if c.base == nil {
		panic("fastcgi: ConnContext returned nil")
	}
	if c.base.Done() != c.engine.BaseContext.Done() {
		c.unwatch = context.AfterFunc(c.base, c.baseEnded)
	}
}

// tellState has ConnState called, if there is one. The states are notices among
// the others, so they come in their order.
func (c *conn) tellState(s ConnState) {
	if c.engine.ConnState == nil {
		return
	}
	c.post(notice{what: noticeOf[s]})
}

var noticeOf = [...]noticeKind{ConnActive: noticeActive, ConnIdle: noticeIdle, ConnClosed: noticeClosed}

func (c *conn) callState(s ConnState) { c.engine.ConnState(c.info(), s) }
