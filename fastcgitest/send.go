package fastcgitest

import (
	"errors"
	"fmt"
	"io"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// begin sends the request up to the end of its parameters.
func (c *Call) begin(params []byte) error {
	return c.send(func(p *protocol.Conn) ([]byte, error) {
		out, err := p.Begin(nil, requestID, protocol.BeginRequest{Role: c.req.role()})
		if err == nil {
			out, err = p.Send(out, protocol.TypeParams, requestID, params)
		}
		if err == nil {
			out, err = p.SendEnd(out, protocol.TypeParams, requestID)
		}
		return out, err
	})
}

// send sends what step makes of the protocol's state. It is called with mu held.
func (c *Call) send(step func(*protocol.Conn) ([]byte, error)) error {
	c.sending <- struct{}{} // whoever is in there writes, and the end of ctx ends that
	defer func() { <-c.sending }()
	c.mu.Lock()
	out, err := step(c.proto)
	c.mu.Unlock()
	if err == nil {
		_, err = c.conn.Write(out)
	}
	return err
}

// sendStreams sends what follows the parameters.
func (c *Call) sendStreams() {
	defer close(c.sent)
	role := c.req.role()
	if role == protocol.RoleAuthorizer {
		return
	}
	ok := c.sendStream(protocol.TypeStdin, c.req.Body)
	if ok && role == protocol.RoleFilter {
		c.sendStream(protocol.TypeData, c.req.Data)
	}
}

// sendStream sends a stream to its end. It reports whether the application wants
// more.
func (c *Call) sendStream(t protocol.RecordType, from io.Reader) bool {
	buf := make([]byte, 32<<10)
	for from != nil {
		n, err := from.Read(buf)
		if n > 0 && !c.sendPiece(t, buf[:n]) {
			return false
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			c.sourceFailed(t, err)
			return false
		}
	}
	return c.send(func(p *protocol.Conn) ([]byte, error) { return p.SendEnd(nil, t, requestID) }) == nil
}

func (c *Call) sendPiece(t protocol.RecordType, piece []byte) bool {
	return c.send(func(p *protocol.Conn) ([]byte, error) { return p.Send(nil, t, requestID, piece) }) == nil
}

// sourceFailed acts on an error of the Read of the body or the data.
func (c *Call) sourceFailed(t protocol.RecordType, err error) {
	c.mu.Lock()
	aborted := c.aborted // and so the stream was closed
	c.mu.Unlock()
	if !aborted {
		c.hangUp(fmt.Errorf("the test's reader for %v failed: %w", t, err))
	}
}
