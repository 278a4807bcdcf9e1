package client

import (
	"errors"
	"fmt"
	"io"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// chunkLen is how much is read at a time, of a body and from the connection, in
// bytes.
const chunkLen = 32 << 10

// head encodes BEGIN_REQUEST and PARAMS. A parameter does not continue in
// another record unless it is larger than one: PHP reads each by itself.
func (c *conn) head(x *exchange, req *Request) []byte {
	var flags uint8
	if x.keep {
		flags = protocol.FlagKeepConn
	}
	// The protocol has no objection: the id is free, and what follows is in order.
	out, _ := c.proto.Begin(nil, x.id, protocol.BeginRequest{Role: req.role(), Flags: flags})
	var group []byte
	for p := range req.params {
		if len(group) > 0 && len(group)+protocol.PairLen(p.Name, p.Value) > MaxPairLen {
			out, _ = c.proto.Send(out, protocol.TypeParams, x.id, group)
			group = group[:0]
		}
		group = protocol.AppendPair(group, p.Name, p.Value)
	}
	out, _ = c.proto.Send(out, protocol.TypeParams, x.id, group)
	out, _ = c.proto.SendEnd(out, protocol.TypeParams, x.id)
	return out
}

// A sourceError is an error of a body that the caller gave, as opposed to one of
// the connection.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (e *sourceError) Unwrap() error { return e.err }

// send sends head and the bodies. It runs in a goroutine of its own, started by
// start, and ends with the exchange, or after the Read of a body in progress
// then.
func (x *exchange) send(head []byte, req *Request) {
	defer close(x.sendDone)
	s := sender{x: x, out: head}
	defer func() { pool.Put(s.chunk) }()
	err := s.bodies(req)
	if err == nil {
		err = s.flush()
	}
	x.sent(err)
}

// sent notes that nothing more will be sent.
func (x *exchange) sent(err error) {
	c := x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	x.sending = false
	if c.x != x {
		return
	}
	var source *sourceError
	switch {
	case errors.As(err, &source):
		c.closeLocked(fmt.Errorf("fastcgi: reading the request's body: %w", source.err))
	case err != nil:
		// The application may have answered before it stopped to read, and
		// closed: readLoop finds out.
		x.keep = false
		if x.ended {
			c.closeLocked(errOver)
		}
	default:
		c.settle()
	}
}

// A sender encodes the bodies of one request and writes them.
type sender struct {
	x     *exchange
	out   []byte // encoded, not yet written
	chunk []byte // nil until there is a body to read
}

func (s *sender) bodies(req *Request) error {
	if req.Role == protocol.RoleAuthorizer {
		return nil
	}
	if err := s.stream(protocol.TypeStdin, req.Stdin); err != nil {
		return err
	}
	if req.Role == protocol.RoleFilter {
		return s.stream(protocol.TypeData, req.Data)
	}
	return nil
}

// stream sends a body to its end. What it has sent of it may still be in out.
func (s *sender) stream(t protocol.RecordType, body io.Reader) error {
	for body != nil {
		if !inMemory(body) {
			// The next Read may take any time.
			if err := s.flush(); err != nil {
				return err
			}
		}
		if s.chunk == nil {
			s.chunk = pool.Get(chunkLen)[:chunkLen]
		}
		n, err := body.Read(s.chunk)
		if err := s.encode(t, s.chunk[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &sourceError{err}
		}
		if len(s.out) >= chunkLen {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return s.encode(t, nil)
}

// inMemory reports whether a body is at hand, so that it may travel in one write
// with what comes before it: bytes.Reader, strings.Reader and bytes.Buffer tell
// their length.
func inMemory(body io.Reader) bool {
	_, ok := body.(interface{ Len() int })
	return ok
}

// encode appends p to out, or with a nil p the end of the stream, unless the
// exchange is over.
func (s *sender) encode(t protocol.RecordType, p []byte) (err error) {
	c := s.x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.x != s.x:
		return errOver
	case p == nil:
		s.out, err = c.proto.SendEnd(s.out, t, s.x.id)
	default:
		s.out, err = c.proto.Send(s.out, t, s.x.id, p)
	}
	return err
}

// flush writes out.
func (s *sender) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	n, err := s.x.conn.nc.Write(s.out)
	s.out = s.out[:0]
	if n > 0 {
		s.x.conn.mu.Lock()
		s.x.delivered = true
		s.x.conn.mu.Unlock()
	}
	return err
}
