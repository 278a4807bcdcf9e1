package drivertest

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A host is the end of a connection that answers.
type host struct {
	order
	driver.Socket
	crowd *crowd

	mu      sync.Mutex
	plan    plan
	answer  []byte // what is left of it
	written int    // bytes of it that are to be sent
	wire    []byte // what is being sent; nil: nothing
	failed  bool   // nothing can be sent any more
}

// Receive implements driver.Conn.
func (h *host) Receive(p []byte, _ driver.Instant) {
	defer h.enterOpen("Receive")()
	n := binary.BigEndian.Uint64(append(bytes.Clone(p), make([]byte, tokenLen)...)) &^ (0xffff << 48)
	switch {
	case len(p) != tokenLen || n >= uint64(len(h.crowd.seen)) || !bytes.Equal(p, token(int(n))):
		h.t.Errorf("a host was sent foreign bytes: %x", p[:min(len(p), 64)])
	case !h.crowd.seen[n].CompareAndSwap(false, true):
		h.t.Errorf("the token %x has come twice", p)
	default:
		h.start(int(n))
	}
}

// start begins to answer, and to do what the plan has.
func (h *host) start(visit int) {
	h.mu.Lock()
	h.plan = h.crowd.plan(visit)
	h.answer = bytes.Repeat(token(visit), h.plan.answer)
	h.mu.Unlock()
	for i := range h.plan.writers {
		h.crowd.tasks.Go(func() { h.writeShare(i) })
	}
	switch h.plan.ending {
	case endKilled:
		h.crowd.tasks.Go(h.kill)
	case endDropped:
		h.kill()
	}
}

// writeShare is one of the goroutines that answer: each with a share of the bytes, whichever those are. If the answer is not
// to arrive whole, it writes a little at a time, and then uses the socket in every other way that there is, so as to be at it
// when the connection is closed.
func (h *host) writeShare(i int) {
	size := h.plan.answer * tokenLen
	share := size*(i+1)/h.plan.writers - size*i/h.plan.writers
	most := 20_000
	if !h.plan.whole() {
		most = tokenLen
	}
	for more := true; more && share > 0; share -= most {
		more = h.write(min(share, most))
	}
	if h.plan.whole() {
		return
	}
	h.Pause()
	h.SetDeadline(0)
	h.Resume()
	for range 5 {
		h.CloseWrite()
	}
}

// write sends n more bytes of the answer, unless somebody is sending, who then does it. It returns false if that is no use
// any more.
func (h *host) write(n int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written += n
	if h.wire == nil {
		h.flush()
	}
	return !h.failed
}

// flush sends what there is. It is called with mu held.
func (h *host) flush() {
	for h.written > 0 && !h.failed {
		h.wire = h.answer[:h.written]
		h.mu.Unlock()
		done, err := h.send(h.Socket, h.wire[:len(h.wire)/3], h.wire[len(h.wire)/3:])
		h.mu.Lock()
		if !done {
			return // Sent goes on
		}
		h.noteSent(err)
	}
}

// noteSent is called with mu held.
func (h *host) noteSent(err error) {
	h.answer = h.answer[len(h.wire):]
	h.written -= len(h.wire)
	h.wire, h.failed = nil, err != nil
	if h.failed || len(h.answer) == 0 {
		h.Close()
	}
}

// Sent implements driver.Conn.
func (h *host) Sent(err error) {
	defer h.enterSent()()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noteSent(err)
	h.flush()
}

// kill closes the connection, whatever the others are doing.
func (h *host) kill() {
	for range h.plan.after {
		runtime.Gosched()
	}
	h.Close()
}

// ReceiveEnd implements driver.Conn. A host whose visitor has closed one half only goes on until it has answered.
func (h *host) ReceiveEnd(err error) {
	defer h.crowd.tasks.Done()
	defer h.enterEnd()()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != io.EOF || h.plan.ending != endHalfClosed || len(h.answer) == 0 {
		h.Close()
	}
}

// Hangup implements driver.Conn.
func (h *host) Hangup() { defer h.enterOpen("Hangup")() }

// Expire implements driver.Conn.
func (h *host) Expire(driver.Instant) { h.t.Error("Expire was called without a deadline") }
