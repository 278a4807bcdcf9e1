//go:build linux

package epoll_test

import (
	"io"
	"testing"
)

// A function that blocks on the driver's own loop delays no connection.
func TestLoopOfNoConnection(t *testing.T) {
	e := show(t, oneLoop(), nil)
	running, blocked := make(chan struct{}), make(chan struct{})
	e.driver.Loop().Post(func() {
		close(running)
		<-blocked
	})
	defer close(blocked)
	receive(t, running)
	c, peer := e.open()
	io.WriteString(peer, "hello")
	c.expectData("hello")
	c.turn()
}
