package drivertest

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// An order checks the driver's calls for one connection: those on its loop come one at a time, none of the driver's own after
// ReceiveEnd, and Sent comes once for each Send that was not done, whose bytes are then what they were.
type order struct {
	t       testing.TB
	inLoop  atomic.Bool
	ended   atomic.Bool // ReceiveEnd was called
	sending atomic.Bool // a Send is not done

	mu         sync.Mutex
	head, body []byte // of the Send that is not done
	sum        uint64
}

// enter is called at the start of what runs on the connection's loop, and what it returns at the end.
func (o *order) enter(what string) (leave func()) {
	if !o.inLoop.CompareAndSwap(false, true) {
		o.t.Errorf("%s was called on the loop within another call", what)
	}
	return func() { o.inLoop.Store(false) }
}

// enterOpen is enter for what must not come after ReceiveEnd.
func (o *order) enterOpen(what string) (leave func()) {
	if o.ended.Load() {
		o.t.Errorf("%s was called after ReceiveEnd", what)
	}
	return o.enter(what)
}

// enterEnd is enter for ReceiveEnd.
func (o *order) enterEnd() (leave func()) {
	leave = o.enterOpen("ReceiveEnd")
	o.ended.Store(true)
	return leave
}

// send calls Send.
func (o *order) send(s driver.Socket, head, body []byte) (done bool, err error) {
	if !o.sending.CompareAndSwap(false, true) {
		o.t.Error("this test calls Send before Sent")
	}
	o.mu.Lock()
	o.head, o.body, o.sum = head, body, checksum(head, body)
	o.mu.Unlock()
	done, err = s.Send(head, body)
	switch {
	case done && !o.sending.CompareAndSwap(true, false):
		o.t.Error("Sent was called for a Send that was done")
	case !done && err != nil:
		o.t.Errorf("Send was not done and had an error: %v", err)
	}
	return done, err
}

// keep calls Keep, after which the body may be used for something else.
func (o *order) keep(s driver.Socket) {
	s.Keep()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.body, o.sum = nil, checksum(o.head, nil)
}

// enterSent is enter for Sent.
func (o *order) enterSent() (leave func()) {
	o.mu.Lock()
	changed := checksum(o.head, o.body) != o.sum
	o.mu.Unlock()
	if changed {
		o.t.Error("the driver has changed the bytes that Send left to it")
	}
	if !o.sending.CompareAndSwap(true, false) {
		o.t.Error("Sent was called without Send")
	}
	return o.enter("Sent")
}

// over reports whether nothing is outstanding on a connection that was closed.
func (o *order) over() bool { return o.ended.Load() && !o.sending.Load() }

var seed = maphash.MakeSeed()

func checksum(head, body []byte) uint64 {
	return maphash.Bytes(seed, head) ^ maphash.Bytes(seed, body)<<1
}
