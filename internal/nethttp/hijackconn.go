package nethttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// maxHijackedHead is how large a response head written to a hijacked connection
// may be, in bytes: what web servers take.
const maxHijackedHead = 64 << 10

// A hijackedConn is the net.Conn of a hijacked request.
//
// Read returns io.EOF where the web server ends STDIN, because the client has
// said all that it has to say, and io.ErrUnexpectedEOF where it closed its
// connection instead, as lighttpd does for either.
type hijackedConn struct {
	in *Incoming

	// Guarded by writing, which is held during a Write, so that each is in one
	// piece.
	writing sync.Mutex
	head    *response // that is still to be written; nil once it is sent
	text    []byte    // what was written of it
}

// Read implements net.Conn.
func (c *hijackedConn) Read(p []byte) (int, error) {
	n, err := c.in.Call.Read(protocol.TypeStdin, p)
	return n, closedError(err)
}

// Write implements net.Conn. What is written goes out at once.
func (c *hijackedConn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	rest := p
	for c.head != nil && len(rest) > 0 {
		var err error
		if rest, err = c.writeHead(rest); err != nil {
			return 0, closedError(err)
		}
	}
	if len(rest) == 0 {
		return len(p), nil
	}
	n, err := c.in.Call.Write(protocol.TypeStdout, rest)
	if err == nil {
		err = engine.RefOf(c.in.Call).Flush()
	}
	return len(p) - len(rest) + n, closedError(err)
}

// writeHead takes what belongs to the head, sends it once it is whole, and
// returns what follows it.
func (c *hijackedConn) writeHead(p []byte) ([]byte, error) {
	end := []byte("\r\n\r\n")
	seen := max(0, len(c.text)-len(end))
	c.text = append(c.text, p...)
	i := bytes.Index(c.text[seen:], end)
	switch {
	case i < 0 && len(c.text) > maxHijackedHead:
		return nil, errors.New("fastcgi: no end of the response's head in 64 KiB written to a hijacked connection")
	case i < 0:
		return nil, nil
	}
	text, rest := c.text[:seen+i+len(end)], c.text[seen+i+len(end):]
	c.text = nil
	return rest, c.sendHead(text)
}

// sendHead sends a head as one of CGI. An informational one is passed over, as by
// WriteHeader.
func (c *hijackedConn) sendHead(text []byte) error {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
	switch {
	case err != nil:
		return fmt.Errorf("fastcgi: no response head was written to a hijacked connection: %w", err)
	case resp.StatusCode < 100:
		return fmt.Errorf("fastcgi: a response head with status %q was written to a hijacked connection", resp.Status)
	case len(resp.TransferEncoding) > 0:
		return errors.New("fastcgi: a body written to a hijacked connection cannot be chunked")
	}
	c.head.fields = resp.Header
	c.head.WriteHeader(resp.StatusCode)
	if c.head.status == 0 {
		return nil
	}
	head := c.head
	c.head = nil
	return head.FlushError()
}

// Close ends the FastCGI request. What was written is sent.
func (c *hijackedConn) Close() error {
	return closedError(engine.RefOf(c.in.Call).Finish(0))
}

// LocalAddr returns the address that the client connected to.
func (c *hijackedConn) LocalAddr() net.Addr {
	if addr := cgi.LocalAddr(*c.in.Params); addr != nil {
		return addr
	}
	return &net.UnixAddr{Name: "@", Net: "unix"}
}

// RemoteAddr returns the client's address.
func (c *hijackedConn) RemoteAddr() net.Addr { return cgi.RemoteAddr(*c.in.Params) }

// SetDeadline implements net.Conn.
func (c *hijackedConn) SetDeadline(t time.Time) error {
	return closedError(c.in.Call.SetDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *hijackedConn) SetReadDeadline(t time.Time) error {
	return closedError(c.in.Call.SetReadDeadline(t))
}

// SetWriteDeadline implements net.Conn.
func (c *hijackedConn) SetWriteDeadline(t time.Time) error {
	return closedError(c.in.Call.SetWriteDeadline(t))
}

// closedError returns what a net.Conn returns once it is closed.
func closedError(err error) error {
	if errors.Is(err, engine.ErrFinished) {
		return net.ErrClosed
	}
	return err
}
