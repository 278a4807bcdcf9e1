package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	// recordLen is how much of a body is sent in a record, in bytes: with its header, it fills a buffer.
	recordLen = protocol.MaxContentLen &^ 7
	// maxAtOnce is how large a body in memory may be, in bytes, to travel in one write with the parameters. The
	// socket has room for as much, so that sending does not wait for the application.
	maxAtOnce = 16 << 10
)

// begin puts a request in line to be sent: BEGIN_REQUEST, PARAMS, and the bodies if they are small.
func (c *conn) begin(x *exchange, req *Request, p *params) {
	var flags uint8
	if x.keep {
		flags = protocol.FlagKeepConn
	}
	for err := error(protocol.ErrActiveID); err != nil; {
		x.id = c.nextID()
		// It fails for an id that is active: there are fewer than ids.
		c.out, err = c.proto.Begin(c.out, x.id, protocol.BeginRequest{Role: req.role(), Flags: flags})
	}
	c.proto.Attach(x.id, x)
	// The protocol has no objection to what follows: it is in order.
	c.params(x.id, p)
	if req.atOnce() {
		c.bodies(x.id, req)
		x.atOnce = true
		x.sending = !c.shared
	}
	c.toWrite.Signal()
}

// params puts PARAMS in line.
func (c *conn) params(id uint16, p *params) {
	for content := range p.records {
		c.out, _ = c.proto.Send(c.out, protocol.TypeParams, id, content)
	}
	c.out, _ = c.proto.SendEnd(c.out, protocol.TypeParams, id)
}

// bodies encodes bodies that are at hand.
func (c *conn) bodies(id uint16, req *Request) {
	req.eachBody(func(t protocol.RecordType, body io.Reader) error {
		if n, _ := atHand(body); n > 0 {
			c.out, _ = c.proto.SendHeader(c.out, t, id, n)
			at := len(c.out)
			c.out = append(c.out, make([]byte, n)...)
			io.ReadFull(body, c.out[at:]) // it has so many
		}
		c.out, _ = c.proto.SendEnd(c.out, t, id)
		return nil
	})
}

// eachBody calls do for the bodies that the role has, which may be nil.
func (r *Request) eachBody(do func(protocol.RecordType, io.Reader) error) error {
	if r.Role == protocol.RoleAuthorizer {
		return nil
	}
	if err := do(protocol.TypeStdin, r.Stdin); err != nil {
		return err
	}
	if r.Role == protocol.RoleFilter {
		return do(protocol.TypeData, r.Data)
	}
	return nil
}

// atOnce reports whether the bodies can travel with the parameters.
func (r *Request) atOnce() bool {
	stdin, ok := atHand(r.Stdin)
	data, alsoOk := atHand(r.Data)
	return ok && alsoOk && stdin <= maxAtOnce-data
}

// atHand returns the length of a body that is in memory.
func atHand(body io.Reader) (n int, ok bool) {
	switch b := body.(type) {
	case nil:
		return 0, true
	case *bytes.Reader:
		return b.Len(), true
	case *strings.Reader:
		return b.Len(), true
	case *bytes.Buffer:
		return b.Len(), true
	}
	return 0, false
}

// A sourceError is an error of a body that the caller gave, as opposed to one of
// the connection.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (e *sourceError) Unwrap() error { return e.err }

// send sees to it that the request is sent. What is not at hand is sent by a goroutine of its own, which ends with the
// exchange, or after the Read of a body in progress then.
func (x *exchange) send(req *Request) {
	if !x.atOnce {
		x.sender = make(chan struct{})
		go func() {
			defer close(x.sender)
			x.sent(x.stream(req))
		}()
		return
	}
	if !x.conn.shared {
		c := x.conn
		c.mu.Lock()
		defer c.mu.Unlock()
		x.sentLocked(c.flush())
	}
}

// sent notes that nothing more will be sent.
func (x *exchange) sent(err error) {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	x.sentLocked(err)
}

func (x *exchange) sentLocked(err error) {
	c := x.conn
	x.sending = false
	var source *sourceError
	switch {
	case x.over:
	case errors.As(err, &source):
		x.failLocked(fmt.Errorf("fastcgi: reading the request's body: %w", source))
	case err != nil:
		// The application may have answered before it stopped to read, and
		// closed: readLoop finds out.
		x.keep = x.keep && c.shared
		if x.ended {
			c.closeLocked(errOver)
		}
	default:
		c.settle(x)
	}
}

// stream sends bodies as they are read.
func (x *exchange) stream(req *Request) error {
	if err := x.flush(); err != nil {
		return err
	}
	buf := pool.Get(protocol.HeaderLen + recordLen)
	defer pool.Put(buf)
	buf = buf[:protocol.HeaderLen+recordLen]
	return req.eachBody(func(t protocol.RecordType, body io.Reader) error {
		for body != nil {
			n, err := body.Read(buf[protocol.HeaderLen:])
			if n > 0 {
				if err := x.write(t, buf[:protocol.HeaderLen+n]); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return &sourceError{err}
			}
		}
		return x.endStream(t)
	})
}

// flush has what is in line written before the first Read of a body, which may take any time.
func (x *exchange) flush() error {
	c := x.conn
	if c.shared {
		return nil // writeLoop sees to it
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flush()
}

// write sends a record of a stream, whose content is in place behind room for the header. On a shared connection it waits
// for room in line.
func (x *exchange) write(t protocol.RecordType, record []byte) (err error) {
	c := x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.shared && len(c.out) >= maxOut && !x.over && c.writeErr == nil {
		c.written.Wait()
	}
	n := len(record) - protocol.HeaderLen
	switch {
	case x.over:
		return errOver
	case c.writeErr != nil:
		return c.writeErr
	case c.shared:
		c.out, err = c.proto.Send(c.out, t, x.id, record[protocol.HeaderLen:])
		c.toWrite.Signal()
		return err
	}
	if _, err := c.proto.SendHeader(record[:0], t, x.id, n); err != nil {
		return err
	}
	return c.writeNow(record)
}

// endStream sends the end of a stream.
func (x *exchange) endStream(t protocol.RecordType) (err error) {
	c := x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if x.over {
		return errOver
	}
	if c.out, err = c.proto.SendEnd(c.out, t, x.id); err != nil {
		return err
	}
	if c.shared {
		c.toWrite.Signal()
		return nil
	}
	return c.flush()
}
