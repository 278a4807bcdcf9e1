// Package tlsconn makes connections with TLS fit for what stands on this module's connections: ending one never waits for
// the peer, as it does not with TCP, and a handshake that fails is told in words for a log.
//
// It sits on the standard library's crypto/tls. Packages listen, goroutine and client use it.
package tlsconn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// goodbyeTimeout is how long a peer may take nothing of the alert that says that the connection ends here.
	goodbyeTimeout = time.Second
	// A peer whose handshake has failed is read for so long, and so much, that it sees why: a system that closes a
	// connection with bytes unread drops what it has sent there.
	refusalTimeout = time.Second
	refusalMost    = 64 << 10
)

// A Conn is a connection with TLS. Close and CloseWrite return at once; what they have to say to the peer they
// do in a goroutine, which ends within a second.
type Conn struct {
	*tls.Conn

	failed  func(error) // as in Server
	closing atomic.Bool
	broken  atomic.Bool // a write has failed: nothing can be said any more

	// Owned by whoever reads.
	shaken bool
}

// New returns c as a Conn.
func New(c *tls.Conn) *Conn { return &Conn{Conn: c, shaken: true} }

// Server returns the server's side of TLS over nc. The handshake is done by the first Read, and by nothing before. If it fails, failed is
// called with the reason before Read returns, unless the connection was closed before anything came.
func Server(nc net.Conn, config *tls.Config, failed func(error)) *Conn {
	return &Conn{Conn: tls.Server(nc, config), failed: failed}
}

// Read is as in net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if !c.shaken {
		if err := c.shake(); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p)
	if c.closing.Load() {
		return 0, net.ErrClosed // the goroutine of Close may be about to begin
	}
	return n, err
}

// Write is as in net.Conn. After one that has timed out, all others fail.
func (c *Conn) Write(p []byte) (int, error) {
	if c.closing.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.broken.Store(true)
	}
	return n, err
}

func (c *Conn) shake() error {
	err := c.Handshake()
	if err == nil {
		c.shaken = true
		return nil
	}
	if c.failed != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		c.failed(reason(err))
		c.failed = nil
		c.refuse()
	}
	return err
}

// reason says what a handshake has failed of.
func reason(err error) error {
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) {
		return fmt.Errorf("TLS handshake: the peer does not speak TLS: %w", err)
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// refuse has the peer see the alert with which the handshake ended, which is sent already. Nobody else reads then.
func (c *Conn) refuse() {
	nc := c.NetConn()
	if half, ok := nc.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	if nc.SetReadDeadline(time.Now().Add(refusalTimeout)) == nil {
		// It ends in an error in any case.
		_, _ = io.CopyN(io.Discard, nc, refusalMost)
	}
}

// CloseWrite tells the peer that nothing more will come.
func (c *Conn) CloseWrite() error {
	// What fails here has failed altogether, and reading finds it.
	go func() { _ = c.Conn.CloseWrite() }()
	return nil
}

// Close closes the connection. A Write in progress is given up.
func (c *Conn) Close() error {
	if c.closing.Swap(true) {
		return net.ErrClosed
	}
	if c.broken.Load() {
		return c.NetConn().Close()
	}
	go func() {
		// The alert may wait for another one that the peer does not take, which the deadline that package tls sets does not end.
		late := time.AfterFunc(goodbyeTimeout, func() { c.NetConn().Close() })
		defer late.Stop()
		// Nobody is there any more who could be told.
		_ = c.Conn.Close()
	}()
	return nil
}
