package engine

import "context"

// effects are what was decided under a connection's mutex and is done without it.
type effects struct {
	lines      []logLine
	places     int  // of MaxConcurrency, to be given up
	closeWrite bool // close this side of the socket
	close      bool // close the socket
	farewell   bool // close this side first, at once: the loop may be busy
	freed      bool // memory that others wait for was given back
	remove     bool // take the connection off the engine's list
}

// any reports whether there is something to do.
func (e *effects) any() bool {
	return len(e.lines) > 0 || e.places > 0 || e.closeWrite || e.close || e.remove || e.freed
}

// release gives mu back and does what was put off.
func (c *conn) release() {
	c.mu.assertHeld()
	todo := c.effects
	c.effects = effects{}
	if todo.remove {
		c.logSuppressed(&todo)
	}
	if todo.remove && c.engine.ConnState != nil {
		todo.remove = false // not before that was told
		c.tellState(ConnClosed)
	}
	c.mu.Unlock()
	todo.do(c)
}

func (e *effects) do(c *conn) {
	for _, l := range e.lines {
		c.engine.Log.Log(context.Background(), l.level, "fastcgi: "+l.msg, l.args...)
	}
	if e.closeWrite || e.farewell {
		c.sock.CloseWrite()
	}
	if e.close {
		c.sock.Close()
	}
	if e.freed {
		c.engine.memory.wake()
	}
	for range e.places {
		c.engine.limiter.release()
	}
	if e.remove {
		c.engine.remove(c)
	}
}
