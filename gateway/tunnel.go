package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// A tunnel is what a request to upgrade has for a body: nothing until the
// application has answered; then, if it changes the protocol, whatever the
// client sends.
//
// Package client reads it in a goroutine of its own, which may be in the middle
// of that when the application hangs up.
type tunnel struct {
	decided chan struct{} // closed by open and refuse

	// Written before decided is closed.
	conn  net.Conn    // nil if there is no other protocol
	in    io.Reader   // what was read of conn too early, then conn
	idle  *time.Timer // nil without a limit
	limit time.Duration

	ready sync.Cond // reading became false

	// Guarded by mu.
	mu      sync.Mutex
	reading bool
	over    bool // the application has hung up, or was not reached
}

var errSilent = fmt.Errorf("%w: silence for UpgradeIdleTimeout", errClientGone)

func newTunnel() *tunnel {
	t := &tunnel{decided: make(chan struct{})}
	t.ready.L = &t.mu
	return t
}

// open begins to read what the client sends, after what is in a buffer already.
// If neither side says anything for as long as limit, the client's connection is
// closed; zero is no limit.
func (t *tunnel) open(conn net.Conn, buffered *bufio.Reader, limit time.Duration) {
	// Further on, net/http's own reader would take the client's last word for the
	// end of the request, and cancel it.
	early, _ := buffered.Peek(buffered.Buffered())
	t.in = io.MultiReader(bytes.NewReader(early), conn)
	t.conn, t.limit = conn, limit
	if limit > 0 {
		t.idle = time.AfterFunc(limit, func() { conn.Close() })
	}
	close(t.decided)
}

// close ends reading, and with it STDIN. Nothing reads from the client's
// connection when it returns.
func (t *tunnel) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.conn == nil {
		t.refuse()
		return
	}
	// Closed already, it does not read, either.
	_ = t.conn.SetReadDeadline(time.Unix(1, 0))
	for t.reading {
		t.ready.Wait()
	}
	if t.idle != nil {
		t.idle.Stop()
	}
}

// refuse ends STDIN, because the application answers with HTTP.
func (t *tunnel) refuse() {
	select {
	case <-t.decided:
	default:
		close(t.decided)
	}
}

// Read implements io.Reader.
func (t *tunnel) Read(p []byte) (int, error) {
	<-t.decided
	if !t.begin() {
		return 0, io.EOF
	}
	n, err := t.in.Read(p)
	return n, t.end(err)
}

func (t *tunnel) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reading = !t.over && t.conn != nil
	return t.reading
}

// end is the end of a Read, and returns what that means.
func (t *tunnel) end(err error) error {
	t.touch()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reading = false
	t.ready.Broadcast()
	switch {
	case err == nil || err == io.EOF:
		return err
	case t.over: // and what went wrong since then did not
		return io.EOF
	case errors.Is(err, net.ErrClosed):
		return errSilent
	}
	return fmt.Errorf("%w: %w", errClientGone, err)
}

// touch notes that there is life.
func (t *tunnel) touch() {
	if t.idle != nil {
		t.idle.Reset(t.limit)
	}
}

// copyFrom passes on what the application sends, to its end.
func (t *tunnel) copyFrom(body io.Reader) error {
	buf := pool.Get(copyLen)[:copyLen]
	defer pool.Put(buf)
	for {
		n, err := body.Read(buf)
		if _, err := t.conn.Write(buf[:n]); err != nil {
			return errClientGone
		}
		t.touch()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// hangUp ends the client's connection after the application did. To close it at
// once, with something unread, would reset it, and the client might lose what it
// has not read yet, such as why.
func (t *tunnel) hangUp() {
	if closeWrite(t.conn) != nil {
		return // the client was faster
	}
	t.close()
	if t.conn.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.Copy(io.Discard, t.in)
	}
}
