package drivertest

import (
	"errors"
	"runtime"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A Conn is a connection above the seam that tells the test what its driver calls, and fails it where that is against the
// rules.
type Conn struct {
	order
	driver.Socket
	// OnReceive and OnExpire are called instead of telling the test.
	OnReceive func(p []byte)
	OnExpire  func(now driver.Instant)
	// Exits has each call but Sent end the goroutine that makes it.
	Exits bool

	server *Server
	calls  chan Call
}

// A Call is one of the driver's calls.
type Call struct {
	What string         // the method
	Data string         // of Receive
	Now  driver.Instant // of Receive and Expire
	Err  error          // of ReceiveEnd and Sent
}

// newConn returns a Conn that has room for more calls than any test causes without looking at them.
func newConn(s *Server, sock driver.Socket) *Conn {
	return &Conn{order: order{t: s.t}, Socket: sock, server: s, calls: make(chan Call, 1000)}
}

func (c *Conn) tell(k Call) {
	select {
	case c.calls <- k:
	default:
		c.t.Errorf("nobody looks at %+v", k)
	}
}

// Receive implements driver.Conn.
func (c *Conn) Receive(p []byte, now driver.Instant) {
	defer c.enterOpen("Receive")()
	if c.OnReceive != nil {
		c.OnReceive(p)
	} else {
		c.tell(Call{What: "Receive", Data: string(p), Now: now})
	}
	c.exit()
}

func (c *Conn) exit() {
	if c.Exits {
		runtime.Goexit()
	}
}

// ReceiveEnd implements driver.Conn.
func (c *Conn) ReceiveEnd(err error) {
	defer c.enterEnd()()
	c.tell(Call{What: "ReceiveEnd", Err: err})
	c.exit()
}

// Hangup implements driver.Conn.
func (c *Conn) Hangup() {
	defer c.enterOpen("Hangup")()
	c.tell(Call{What: "Hangup"})
	c.exit()
}

// Expire implements driver.Conn.
func (c *Conn) Expire(now driver.Instant) {
	defer c.enterOpen("Expire")()
	if c.OnExpire != nil {
		c.OnExpire(now)
	} else {
		c.tell(Call{What: "Expire", Now: now})
	}
	c.exit()
}

// Sent implements driver.Conn.
func (c *Conn) Sent(err error) {
	defer c.enterSent()()
	c.tell(Call{What: "Sent", Err: err})
}

// Send implements driver.Socket.
func (c *Conn) Send(head, body []byte) (done bool, err error) { return c.send(c.Socket, head, body) }

// Keep gives back the body of a Send that is not done, before the peer has taken it.
func (c *Conn) Keep() { c.keep(c.Socket) }

// Write sends p, in two pieces, and waits until it is sent; the error is that of Send or Sent.
func (c *Conn) Write(p []byte) error {
	c.t.Helper()
	done, err := c.Send(p[:len(p)/3], p[len(p)/3:])
	if !done {
		err = c.Expect("Sent").Err
	}
	return err
}

// MustWrite is Write of what has to arrive.
func (c *Conn) MustWrite(p []byte) {
	c.t.Helper()
	if err := c.Write(p); err != nil {
		c.t.Errorf("sending failed: %v", err)
	}
}

// Leave sends p, which must be more than the socket takes at once.
func (c *Conn) Leave(p []byte) {
	c.t.Helper()
	if done, err := c.Send(p[:len(p)/3], p[len(p)/3:]); done || err != nil {
		c.t.Errorf("Send returned %v, %v", done, err)
	}
}

// Turn waits until the loop has acted on what was asked for before: it runs two functions of which the first posts the second.
func (c *Conn) Turn() {
	c.t.Helper()
	done := make(chan struct{})
	c.Post(func() {
		defer c.enter("a posted function")()
		c.Post(func() { close(done) })
	})
	Take(c.t, done)
}

// Next waits for the next call.
func (c *Conn) Next() Call {
	c.t.Helper()
	return Take(c.t, c.calls)
}

// Expect waits for the next call, which must be a certain one.
func (c *Conn) Expect(what string) Call {
	c.t.Helper()
	k := c.Next()
	if k.What != what {
		c.t.Fatalf("the driver called %+v, want %s", k, what)
	}
	return k
}

// ExpectEnd waits for the next call, which must be ReceiveEnd with err.
func (c *Conn) ExpectEnd(err error) {
	c.t.Helper()
	if k := c.Expect("ReceiveEnd"); k.Err != err {
		c.t.Errorf("ReceiveEnd was told %v, want %v", k.Err, err)
	}
}

// ExpectData waits until want has arrived, in as many pieces as it takes.
func (c *Conn) ExpectData(want string) {
	c.t.Helper()
	var got []byte
	for len(got) < len(want) {
		got = append(got, c.Expect("Receive").Data...)
	}
	if string(got) != want {
		c.t.Errorf("received %s, want %s", clip(got), clip([]byte(want)))
	}
}

// ExpectSent waits for the next call, which must be Sent with err.
func (c *Conn) ExpectSent(err error) {
	c.t.Helper()
	if k := c.Expect("Sent"); !errors.Is(k.Err, err) {
		c.t.Errorf("Sent was told %v, want %v", k.Err, err)
	}
}

// ExpectQuiet checks that the driver has called nothing that the test did not look at.
func (c *Conn) ExpectQuiet() {
	c.t.Helper()
	c.Settle()
	for _, k := range c.Calls() {
		c.t.Errorf("the driver called %+v", k)
	}
}

// Settle waits until the driver has had every opportunity to act on what happened before, on this connection or at its peer's
// end: what happens on another one afterwards has been acted on.
func (c *Conn) Settle() {
	c.t.Helper()
	c.Turn()
	for range 3 {
		c.server.tick()
	}
	c.Turn()
}

// Calls takes the calls that were made and not looked at.
func (c *Conn) Calls() (calls []Call) {
	for len(c.calls) > 0 {
		calls = append(calls, <-c.calls)
	}
	return calls
}

// TB returns the test that the connection belongs to.
func (c *Conn) TB() testing.TB { return c.t }
