//go:build linux

package epoll_test

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// Room that comes at the very moment when the socket takes no more is not missed, whether the rest has been left to the loop
// by then or not.
func TestSendEdge(t *testing.T) {
	const rounds, size = 5000, 32 << 10
	e := serve(t, oneLoop(), func(c *drivertest.Conn) {
		unix.SetsockoptInt(epoll.Descriptor(c.Socket), unix.SOL_SOCKET, unix.SO_SNDBUF, size/2)
	})
	c, peer := e.Open()
	read := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, peer)
		read <- n
	}()
	defer drivertest.CrowdThreads()()
	rests := 0
	for range rounds {
		done, err := c.Send(make([]byte, size), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !done {
			rests++
			c.Expect("Sent")
		}
	}
	c.CloseWrite()
	if n := drivertest.Take(t, read); n != rounds*size || rests == 0 {
		t.Errorf("the peer has read %d bytes, and %d times there was a rest", n, rests)
	}
}

// A peer that takes some of it has all of WriteTimeout again.
func TestWriteTimeoutAnew(t *testing.T) {
	d := &epoll.Driver{Loops: 1, WriteTimeout: time.Hour}
	c, peer := serve(t, d, nil).Open()
	c.Leave(drivertest.Noise(8 << 20))
	var before driver.Instant
	for range 5 {
		c.Turn()
		asked := make(chan driver.Instant, 1)
		c.Post(func() { asked <- epoll.Due(c.Socket) })
		due := drivertest.Take(t, asked)
		if now := driver.Now(); due <= before || due > now.After(d.WriteTimeout) {
			t.Errorf("due at %d, was %d; now it is %d", due, before, now)
		}
		before = due
		io.CopyN(io.Discard, peer, 1<<20)
	}
}
