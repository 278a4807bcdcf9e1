//go:build linux

package epoll_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A conn is a connection above the seam that tells the test what its driver calls.
type conn struct {
	rules
	driver.Socket
	calls     chan call
	onReceive func(p []byte) // called instead of telling the test
}

// A call is one of the driver's calls.
type call struct {
	what string
	data string // of Receive
	err  error  // of ReceiveEnd and Sent
}

// newConn returns a conn that has room for more calls than any test causes without looking at them.
func newConn(t testing.TB, s driver.Socket) *conn {
	return &conn{rules: rules{t: t}, Socket: s, calls: make(chan call, 1000)}
}

func (c *conn) tell(k call) {
	select {
	case c.calls <- k:
	default:
		c.t.Errorf("nobody looks at %+v", k)
	}
}

// Receive implements driver.Conn.
func (c *conn) Receive(p []byte, _ driver.Instant) {
	defer c.enterOpen("Receive")()
	if c.onReceive != nil {
		c.onReceive(p)
		return
	}
	c.tell(call{what: "Receive", data: string(p)})
}

// ReceiveEnd implements driver.Conn.
func (c *conn) ReceiveEnd(err error) {
	defer c.end()()
	c.tell(call{what: "ReceiveEnd", err: err})
}

// Hangup implements driver.Conn.
func (c *conn) Hangup() {
	defer c.enterOpen("Hangup")()
	c.tell(call{what: "Hangup"})
}

// Expire implements driver.Conn.
func (c *conn) Expire(driver.Instant) {
	defer c.enter("Expire")()
	c.tell(call{what: "Expire"})
}

// Sent implements driver.Conn.
func (c *conn) Sent(err error) {
	defer c.sent()()
	c.tell(call{what: "Sent", err: err})
}

// write sends what the socket takes at once.
func (c *conn) write(p []byte) {
	c.t.Helper()
	if done, err := c.send(c.Socket, p); !done || err != nil {
		c.t.Errorf("Send returned %v, %v", done, err)
	}
}

// writePart sends what the socket does not take at once.
func (c *conn) writePart(p []byte) {
	c.t.Helper()
	if done, err := c.send(c.Socket, p); done || err != nil {
		c.t.Errorf("Send returned %v, %v", done, err)
	}
}

// turn waits until the loop has acted on everything that had happened before: it fetches events at least once between
// two functions of which the second is posted by the first.
func (c *conn) turn() {
	done := make(chan struct{})
	c.Post(func() { c.Post(func() { close(done) }) })
	receive(c.t, done)
}

// expect waits for the next call, which must be one of what's.
func (c *conn) expect(what string) call {
	c.t.Helper()
	k := receive(c.t, c.calls)
	if k.what != what {
		c.t.Fatalf("the driver called %+v, want %s", k, what)
	}
	return k
}

// expectEnd waits for the next call, which must be ReceiveEnd with err.
func (c *conn) expectEnd(err error) {
	c.t.Helper()
	if k := c.expect("ReceiveEnd"); k.err != err {
		c.t.Errorf("ReceiveEnd was told %v, want %v", k.err, err)
	}
}

// expectData waits until want has arrived, in as many pieces as it takes.
func (c *conn) expectData(want string) {
	c.t.Helper()
	var got string
	for len(got) < len(want) {
		got += c.expect("Receive").data
	}
	if got != want {
		c.t.Errorf("received %q, want %q", got, want)
	}
}

// expectQuiet checks that the driver has called nothing that the test did not look at.
func (c *conn) expectQuiet() {
	c.t.Helper()
	c.turn()
	select {
	case k := <-c.calls:
		c.t.Errorf("the driver called %+v", k)
	default:
	}
}

// expectRead reads want at the peer's end.
func expectRead(t testing.TB, peer io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(peer, got); string(got) != want {
		t.Fatalf("read %s, %v; want %s", clip(got[:n]), err, clip([]byte(want)))
	}
}

// expectReadEnd reads the end of the connection at the peer's end.
func expectReadEnd(t testing.TB, peer io.Reader) {
	t.Helper()
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes, %v; want the end", n, err)
	}
}

// clip makes a long text presentable.
func clip(p []byte) string {
	if len(p) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", p[:40], len(p))
	}
	return fmt.Sprintf("%q", p)
}
