//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// readSize is the most that a connection is given at once.
const readSize = 64 << 10

// noise is text that no two pieces of which look the same.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// What was sent before the connection was accepted, at once and in pieces, arrives in its order, and the end behind it.
func TestReceive(t *testing.T) {
	e := show(t, oneLoop(), nil)
	release := hold(e.driver)
	peer := dial(t, e.l)
	io.WriteString(peer, "early ")
	release()
	c := receive(t, e.conns)
	c.expectData("early ")
	io.WriteString(peer, "late")
	c.expectData("late")
	body := noise(1 << 20)
	go peer.Write(body)
	c.expectData(string(body))
	peer.CloseWrite()
	c.expectEnd(io.EOF)
	c.expectQuiet()
}

// Nobody is given more than 64 KiB at once.
func TestReceiveSize(t *testing.T) {
	const size = 2*readSize + 1
	arrived := make(chan int, size)
	e := show(t, oneLoop(), func(c *conn) { c.onReceive = func(p []byte) { arrived <- len(p) } })
	release := hold(e.driver)
	peer := dial(t, e.l)
	peer.Write(noise(size))
	release()
	receive(t, e.conns).expectQuiet()
	peer.Close()
	for _, want := range []int{readSize, readSize, 1} {
		if got := receive(t, arrived); got != want {
			t.Errorf("received %d bytes at once, want %d", got, want)
		}
	}
}

// A peer that breaks the connection off is no end, but an error.
func TestReceiveReset(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	c.write([]byte("unread"))
	peer.Close()
	if k := c.expect("ReceiveEnd"); !errors.Is(k.err, unix.ECONNRESET) {
		t.Errorf("ReceiveEnd was told %v", k.err)
	}
}

// While reading is paused nothing is received, not even the end; afterwards it is, in its order.
func TestPause(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	for _, text := range []string{"first", "second"} {
		c.Pause()
		c.turn()
		io.WriteString(peer, text)
		c.expectQuiet()
		c.Resume()
		c.expectData(text)
	}
	c.Pause()
	c.Resume()
	c.expectQuiet()
	c.Pause()
	c.turn()
	io.WriteString(peer, "third")
	c.expectQuiet()
	c.Close()
	c.expectEnd(net.ErrClosed)
}

// A connection that pauses from within Receive gets no more than it had.
func TestPauseInReceive(t *testing.T) {
	arrived := make(chan int, 10)
	e := show(t, oneLoop(), func(c *conn) {
		c.onReceive = func(p []byte) {
			c.Pause()
			arrived <- len(p)
		}
	})
	c, peer := e.open()
	go peer.Write(noise(3 * readSize))
	for left := 3 * readSize; left > 0; {
		left -= receive(t, arrived)
		c.expectQuiet()
		if len(arrived) > 0 {
			t.Fatal("received while paused")
		}
		c.Resume()
	}
}

// A connection that is paused when the peer hangs up is told, and gets the rest and the end when it resumes.
func TestHangup(t *testing.T) {
	for _, test := range []struct {
		name   string
		hangup func(peer *net.UnixConn) error
	}{
		{"whole", (*net.UnixConn).Close},
		{"half", (*net.UnixConn).CloseWrite},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, peer := show(t, oneLoop(), nil).open()
			c.Pause()
			c.turn()
			io.WriteString(peer, "rest")
			test.hangup(peer)
			c.expect("Hangup")
			c.Resume()
			c.expectData("rest")
			c.expectEnd(io.EOF)
		})
	}
}

// So it is if the peer had hung up before.
func TestHangupBefore(t *testing.T) {
	pieces := make(chan int, 10)
	e := show(t, oneLoop(), func(c *conn) {
		c.onReceive = func(p []byte) {
			pieces <- len(p)
			c.Pause()
		}
	})
	release := hold(e.driver)
	peer := dial(t, e.l)
	peer.Write(noise(readSize + 1))
	peer.Close()
	release()
	c := receive(t, e.conns)
	c.expect("Hangup")
	if got := receive(t, pieces); got != readSize {
		t.Errorf("received %d bytes", got)
	}
	for len(c.calls) > 0 {
		c.expect("Hangup") // may come again
	}
	c.Resume()
	if got := receive(t, pieces); got != 1 {
		t.Errorf("received another %d bytes", got)
	}
}

// After half a close each way goes on until it is closed as well.
func TestHalfClose(t *testing.T) {
	e := show(t, oneLoop(), nil)
	c, peer := e.open()
	peer.CloseWrite()
	c.expectEnd(io.EOF)
	c.write([]byte("answer"))
	expectRead(t, peer, "answer")
	c.CloseWrite()
	expectReadEnd(t, peer)

	c, peer = e.open()
	c.write([]byte("goodbye"))
	c.CloseWrite()
	expectRead(t, peer, "goodbye")
	expectReadEnd(t, peer)
	io.WriteString(peer, strings.Repeat("thanks", 3))
	c.expectData("thanksthanksthanks")
}

// Close ends both ways; whatever is called on the socket afterwards does nothing.
func TestClose(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	for range 2 {
		c.Close()
		c.CloseWrite()
		c.Pause()
		c.Resume()
		c.SetDeadline(1)
		expectReadEnd(t, peer)
		c.turn()
	}
	c.expectEnd(net.ErrClosed)
	if done, err := c.send(c.Socket, []byte("late")); !done || err != net.ErrClosed {
		t.Errorf("Send after Close returned %v, %v", done, err)
	}
	c.expectQuiet()
}

// A connection that closes from within a call gets the end, and nothing that was there to read.
func TestCloseInReceive(t *testing.T) {
	arrived := make(chan int, 10)
	e := show(t, oneLoop(), func(c *conn) {
		c.onReceive = func(p []byte) {
			c.Close()
			arrived <- len(p)
		}
	})
	release := hold(e.driver)
	peer := dial(t, e.l)
	peer.Write(noise(readSize + 1))
	release()
	receive(t, e.conns).expectEnd(net.ErrClosed)
	receive(t, arrived)
	if _, err := peer.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}

	c, peer := e.open()
	c.Pause()
	c.turn()
	c.Resume()
	io.WriteString(peer, "x")
	c.expectEnd(net.ErrClosed)
	c.expectQuiet()
	if len(arrived) != 1 {
		t.Errorf("received %d times", len(arrived))
	}
}
