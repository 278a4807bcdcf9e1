package client

import "runtime"

// An output is what is to be written on a connection. It is guarded by conn.mu.
type output struct {
	out      []byte // encoded, not yet written
	spare    []byte // the array of out while that is being written
	writing  bool
	inFlight int   // bytes that are being written
	sent     int64 // bytes that were written
	writeErr error
}

const (
	// maxOut is how much may wait to be written, in bytes, until bodies have to wait. Heads do not.
	maxOut = 64 << 10
	// keptOut is how large an array is kept for what is written next, in bytes.
	keptOut = 64 << 10
)

// delivered reports whether a part of the request went out, as far as is known: once the connection is closed and nothing is
// being written on it, for certain.
func (x *exchange) delivered() bool {
	c := x.conn
	for c.writing && c.err != nil {
		c.written.Wait()
	}
	return c.sent > x.begun
}

// position returns where in all that is sent on the connection the next byte goes.
func (c *conn) position() int64 { return c.sent + int64(c.inFlight) + int64(len(c.out)) }

// flush writes what is in line, and reports how that went. It needs mu, which it gives up meanwhile.
func (c *conn) flush() error {
	for len(c.out) > 0 && c.writeErr == nil {
		p := c.out
		c.out = c.spare[:0]
		c.writeNow(p)
		if c.spare = p; cap(p) > keptOut {
			c.spare = nil
		}
	}
	return c.writeErr
}

// writeNow writes p. It needs mu, which it gives up meanwhile.
func (c *conn) writeNow(p []byte) error {
	c.writing, c.inFlight = true, len(p)
	c.mu.Unlock()
	n, err := c.nc.Write(p)
	c.mu.Lock()
	c.writing, c.inFlight = false, 0
	c.sent += int64(n)
	if err != nil {
		c.writeErr = err
		c.out = nil
	}
	c.written.Broadcast()
	return err
}

// writeLoop writes what the requests on a shared connection have put in line. Those that are about to do so go first, so that
// many travel in one write.
func (c *conn) writeLoop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && c.writeErr == nil {
		if len(c.out) == 0 {
			c.toWrite.Wait()
			continue
		}
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
		if c.err == nil && c.flush() != nil {
			// The application may have answered before it stopped to read, and closed: readLoop finds out.
			c.client.pool.retire(c)
		}
	}
}
