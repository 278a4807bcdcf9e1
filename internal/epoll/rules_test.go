//go:build linux

package epoll_test

import (
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// rules hold a driver to what package driver promises to each connection: calls on its loop come one at a time and none of
// the driver's own after ReceiveEnd, and Sent comes once for each Send that was not done. Every Conn of these tests has them.
type rules struct {
	t       testing.TB
	inLoop  atomic.Bool
	ended   atomic.Bool // ReceiveEnd was called
	sending atomic.Bool // a Send is not done
}

// enter is called at the start of what runs on the connection's loop, and what it returns at the end.
func (r *rules) enter(what string) (leave func()) {
	if !r.inLoop.CompareAndSwap(false, true) {
		r.t.Errorf("%s was called on the loop within another call", what)
	}
	return func() { r.inLoop.Store(false) }
}

// enterOpen is enter for what must not come after ReceiveEnd.
func (r *rules) enterOpen(what string) (leave func()) {
	if r.ended.Load() {
		r.t.Errorf("%s was called after ReceiveEnd", what)
	}
	return r.enter(what)
}

// end is enter for ReceiveEnd.
func (r *rules) end() (leave func()) {
	leave = r.enterOpen("ReceiveEnd")
	r.ended.Store(true)
	return leave
}

// send calls Send with p in two pieces.
func (r *rules) send(s driver.Socket, p []byte) (done bool, err error) {
	if !r.sending.CompareAndSwap(false, true) {
		r.t.Error("this test calls Send before Sent")
	}
	done, err = s.Send(p[:len(p)/3], p[len(p)/3:])
	switch {
	case done && !r.sending.CompareAndSwap(true, false):
		r.t.Error("Sent was called for a Send that was done")
	case !done && err != nil:
		r.t.Errorf("Send was not done and had an error: %v", err)
	}
	return done, err
}

// sent is enter for Sent.
func (r *rules) sent() (leave func()) {
	if !r.sending.CompareAndSwap(true, false) {
		r.t.Error("Sent was called without Send")
	}
	return r.enter("Sent")
}
