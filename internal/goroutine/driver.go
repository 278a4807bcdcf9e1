// Package goroutine is the driver that works with any net.Listener on any
// system: one goroutine reads for each connection, and one more writes while
// the socket takes no bytes.
//
// It sits on packages driver, pool and tlsconn; only package fastcgi imports it. On Unix systems an idle connection holds no buffer
// and output goes straight from the goroutine that has it to the socket.
package goroutine

import (
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A Driver serves listeners with a goroutine for each connection.
type Driver struct {
	// WriteTimeout is how long the peer may take nothing of what is written to
	// it. Zero means for ever.
	WriteTimeout time.Duration

	queue driver.Queue
}

// Serve accepts connections until l fails or is closed.
func (d *Driver) Serve(l net.Listener, a driver.Acceptor) error {
	var backoff driver.Backoff
	for {
		nc, err := l.Accept()
		if err != nil {
			delay, again := backoff.Next(err)
			if !again {
				return err
			}
			a.AcceptFailed(err, delay)
			time.Sleep(delay)
			continue
		}
		backoff.Reset()
		d.start(nc, a)
	}
}

// Stop does nothing: Serve sees at once that l was closed.
func (d *Driver) Stop(net.Listener) {}

// Loop implements driver.Driver.
func (d *Driver) Loop() driver.Loop { return &d.queue }

// start runs one connection.
func (d *Driver) start(nc net.Conn, a driver.Acceptor) {
	s := newSocket(d, nc)
	if !s.accept(a) {
		s.Close()
		return
	}
	go s.readLoop()
}
