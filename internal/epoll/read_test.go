//go:build linux

package epoll_test

import (
	"net"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
)

// readSize is the most that a connection is given at once.
const readSize = 64 << 10

// Nobody is given more than 64 KiB at once.
func TestReceiveSize(t *testing.T) {
	const size = 2*readSize + 1
	arrived := make(chan int, size)
	e := serve(t, oneLoop(), func(c *drivertest.Conn) { c.OnReceive = func(p []byte) { arrived <- len(p) } })
	release := hold(e)
	peer := drivertest.Dial(t, e.Listener)
	peer.Write(drivertest.Noise(size))
	release()
	drivertest.Take(t, e.Conns).ExpectQuiet()
	peer.Close()
	for _, want := range []int{readSize, readSize, 1} {
		if got := drivertest.Take(t, arrived); got != want {
			t.Errorf("received %d bytes at once, want %d", got, want)
		}
	}
}

// A peer may have hung up before reading was paused.
func TestHangupBefore(t *testing.T) {
	pieces := make(chan int, 10)
	e := serve(t, oneLoop(), func(c *drivertest.Conn) {
		c.OnReceive = func(p []byte) {
			pieces <- len(p)
			c.Pause()
		}
	})
	release := hold(e)
	peer := drivertest.Dial(t, e.Listener)
	peer.Write(drivertest.Noise(readSize + 1))
	peer.Close()
	release()
	c := drivertest.Take(t, e.Conns)
	c.Expect("Hangup")
	if got := drivertest.Take(t, pieces); got != readSize {
		t.Errorf("received %d bytes", got)
	}
	c.Calls() // it may have come again
	c.Resume()
	if got := drivertest.Take(t, pieces); got != 1 {
		t.Errorf("received another %d bytes", got)
	}
}

// A connection that closes from within Receive is closed at once, whatever else was there to read.
func TestCloseInReceive(t *testing.T) {
	arrived := make(chan int, 10)
	e := serve(t, oneLoop(), func(c *drivertest.Conn) {
		c.OnReceive = func(p []byte) {
			c.Close()
			arrived <- len(p)
		}
	})
	release := hold(e)
	peer := drivertest.Dial(t, e.Listener)
	peer.Write(drivertest.Noise(readSize + 1))
	release()
	drivertest.Take(t, e.Conns).ExpectEnd(net.ErrClosed)
	drivertest.Take(t, arrived)
	if _, err := peer.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
}
