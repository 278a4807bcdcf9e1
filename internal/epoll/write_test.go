//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// backlog is more than a socket takes at once.
const backlog = 8 << 20

// What the socket does not take at once is written as the peer reads, whole and in order, and then Sent is called.
func TestSendBacklog(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	for range 3 {
		body := noise(backlog)
		c.writePart(body)
		expectRead(t, peer, string(body))
		if k := c.expect("Sent"); k.err != nil {
			t.Errorf("Sent was told %v", k.err)
		}
		c.write([]byte("and more"))
		expectRead(t, peer, "and more")
	}
	c.expectQuiet()
}

// The head, the body, or both may be what the socket does not take.
func TestSendPieces(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	body := noise(backlog)
	for _, cut := range []int{0, 1, 1000, backlog / 2, backlog - 1, backlog} {
		c.sending.Store(true)
		if done, err := c.Send(body[:cut], body[cut:]); done || err != nil {
			t.Errorf("Send returned %v, %v", done, err)
		}
		expectRead(t, peer, string(body))
		c.expect("Sent")
	}
}

// Keep gives the body back, whatever is left of it, and it is sent all the same.
func TestKeep(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	for _, read := range []int{0, 1000, backlog / 2} {
		body := noise(backlog)
		want := string(body)
		c.writePart(body)
		expectRead(t, peer, want[:read])
		c.Keep()
		clear(body[backlog/3:]) // what send has as the body
		expectRead(t, peer, want[read:])
		c.expect("Sent")
		c.Keep() // when there is nothing to keep
	}
	c.writePart(noise(backlog))
	c.Close()
	c.expectEnd(net.ErrClosed)
	c.turn()
	c.Keep()
}

// So is what is sent on the loop, before anything was received, and on a connection that is paused or has been read to its
// end.
func TestSendBacklogAnywhere(t *testing.T) {
	body := noise(backlog)
	for _, test := range []struct {
		name   string
		before func(c *conn, peer *net.UnixConn)
	}{
		{"paused", func(c *conn, _ *net.UnixConn) { c.Pause() }},
		{"half closed", func(c *conn, peer *net.UnixConn) {
			peer.CloseWrite()
			c.expectEnd(io.EOF)
		}},
		{"on the loop", func(*conn, *net.UnixConn) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, peer := show(t, oneLoop(), nil).open()
			test.before(c, peer)
			c.Post(func() { c.writePart(body) })
			expectRead(t, peer, string(body))
			c.expect("Sent")
		})
	}
	t.Run("in Accept", func(t *testing.T) {
		e := show(t, oneLoop(), func(c *conn) { c.writePart(body) })
		c, peer := e.open()
		expectRead(t, peer, string(body))
		c.expect("Sent")
	})
}

// Room that comes at the very moment when the socket takes no more is not missed, whether the rest has been left to the loop
// by then or not.
func TestSendEdge(t *testing.T) {
	const rounds, size = 5000, 32 << 10
	e := show(t, oneLoop(), func(c *conn) {
		unix.SetsockoptInt(epoll.Descriptor(c.Socket), unix.SOL_SOCKET, unix.SO_SNDBUF, size/2)
	})
	c, peer := e.open()
	read := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, peer)
		read <- n
	}()
	defer crowdThreads()()
	rests := 0
	for range rounds {
		done, err := c.send(c.Socket, make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		if !done {
			rests++
			c.expect("Sent")
		}
	}
	c.CloseWrite()
	if n := receive(t, read); n != rounds*size || rests == 0 {
		t.Errorf("the peer has read %d bytes, and %d times there was a rest", n, rests)
	}
}

// To send to a peer that is gone is an error, at once or as soon as it shows.
func TestSendError(t *testing.T) {
	e := show(t, oneLoop(), nil)
	c, peer := e.open()
	peer.Close()
	c.expectEnd(io.EOF)
	if done, err := c.send(c.Socket, []byte("x")); !done || !errors.Is(err, unix.EPIPE) {
		t.Errorf("Send returned %v, %v", done, err)
	}

	c, peer = e.open()
	c.writePart(noise(backlog))
	peer.Close()
	if k := c.expect("Sent"); !errors.Is(k.err, unix.EPIPE) {
		t.Errorf("Sent was told %v", k.err)
	}
	if k := c.expect("ReceiveEnd"); !errors.Is(k.err, unix.ECONNRESET) {
		t.Errorf("ReceiveEnd was told %v", k.err)
	}
}

// A peer that takes nothing for WriteTimeout ends the sending, once, and not the connection.
func TestWriteTimeout(t *testing.T) {
	d := oneLoop()
	d.WriteTimeout = 20 * time.Millisecond
	c, peer := show(t, d, nil).open()
	body := noise(backlog)
	c.writePart(body)
	if k := c.expect("Sent"); k.err != os.ErrDeadlineExceeded {
		t.Errorf("Sent was told %v", k.err)
	}
	io.WriteString(peer, "still here")
	c.expectData("still here")
	c.SetDeadline(driver.Now().After(3 * d.WriteTimeout))
	c.expect("Expire")
	c.Close()
	c.expectEnd(net.ErrClosed)
	got, err := io.ReadAll(peer)
	if err != nil || len(got) == 0 || string(got) != string(body[:len(got)]) {
		t.Errorf("the peer has read %s, %v", clip(got), err)
	}
}

// WriteTimeout is no limit for an answer that was sent, however long the connection lasts.
func TestWriteTimeoutEnds(t *testing.T) {
	for timeout := 50 * time.Millisecond; ; timeout *= 2 {
		c, peer := show(t, &epoll.Driver{Loops: 1, WriteTimeout: timeout}, nil).open()
		go io.Copy(io.Discard, peer)
		c.writePart(noise(backlog))
		if k := c.expect("Sent"); k.err != nil {
			continue // on a slow machine the peer takes more time
		}
		c.SetDeadline(driver.Now().After(2 * timeout))
		c.expect("Expire")
		c.expectQuiet()
		return
	}
}

// A peer that takes some of it has all of WriteTimeout again.
func TestWriteTimeoutAnew(t *testing.T) {
	d := &epoll.Driver{Loops: 1, WriteTimeout: time.Hour}
	c, peer := show(t, d, nil).open()
	c.writePart(noise(backlog))
	var before driver.Instant
	for range 5 {
		c.turn()
		due := epoll.StuckDue(c.Socket)
		if now := driver.Now(); due <= before || due > now.After(d.WriteTimeout) {
			t.Errorf("due at %d, was %d; now it is %d", due, before, now)
		}
		before = due
		io.CopyN(io.Discard, peer, 1<<20)
	}
}
