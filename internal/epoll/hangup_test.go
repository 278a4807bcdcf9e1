//go:build linux

package epoll_test

import (
	"io"
	"testing"
)

// A connection that was told of the end is not told of the hang-up as well, when it pauses afterwards.
func TestPauseAfterEnd(t *testing.T) {
	c, peer := show(t, oneLoop(), nil).open()
	peer.CloseWrite()
	c.expectEnd(io.EOF)
	c.Pause()
	c.expectQuiet()
}
