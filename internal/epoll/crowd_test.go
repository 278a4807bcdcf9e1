//go:build linux

package epoll_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// tokenLen is the length of a token in bytes. Each visit has one: its number, behind a mark that no other bytes have.
const tokenLen = 8

func token(visit int) []byte {
	return binary.BigEndian.AppendUint64(nil, 0xfc91<<48|uint64(visit))
}

// A plan is what happens on a visit. Both ends know it from the number.
type plan struct {
	answer  int // the answer is so many tokens
	writers int // goroutines that write it
	ending  ending
	after   int // when that happens: tokens that the visitor reads, or turns that others get
}

// An ending is how a visit ends.
type ending int

const (
	endAnswered   ending = iota // the host closes behind the answer
	endHalfClosed               // so it does, but the visitor has closed its half before
	endSilent                   // the visitor says nothing and hangs up
	endHungUp                   // the visitor hangs up after it has read some of the answer
	endKilled                   // the host closes while it writes
	endDropped                  // the host closes as soon as it is spoken to
	endings
)

// whole reports whether the visitor gets the whole answer.
func (p plan) whole() bool { return p.ending == endAnswered || p.ending == endHalfClosed }

// A crowd is a great many short connections, made by several visitors at once.
//
// The visitor of each sends its token, and the host answers with nothing but that, many times, from goroutines of its own. All
// their descriptors are in one process, which gives a new connection the lowest number that is free: most often that of the
// one that has just been closed. So whatever is done to a number whose connection is gone, is done to another, and seen:
// foreign bytes in an answer or behind a request, an answer cut short, a descriptor that is closed already.
type crowd struct {
	t     testing.TB
	seed  uint64
	addr  net.Addr
	seen  []atomic.Bool  // tokens that hosts were sent
	next  atomic.Int64   // visit
	tasks sync.WaitGroup // hosts, until ReceiveEnd, and their goroutines
}

func newCrowd(t testing.TB, visits int) *crowd {
	return &crowd{t: t, seed: rand.Uint64(), seen: make([]atomic.Bool, visits)}
}

func (c *crowd) plan(visit int) plan {
	r := rand.New(rand.NewPCG(c.seed, uint64(visit)))
	p := plan{answer: 1 + r.IntN(100), writers: 1 + r.IntN(3), ending: ending(r.IntN(int(endings)))}
	if r.IntN(50) == 0 {
		p.answer = 60_000 // more than a socket takes at once
	}
	p.after = r.IntN(p.answer + 1)
	if p.ending == endKilled || p.ending == endDropped {
		p.answer, p.after = 1000, r.IntN(10)
	}
	return p
}

// come makes all visits, by so many visitors.
func (c *crowd) come(visitors int, addr net.Addr) {
	c.addr = addr
	var all sync.WaitGroup
	for range visitors {
		all.Go(func() {
			for v := c.next.Add(1) - 1; v < int64(len(c.seen)) && !c.t.Failed(); v = c.next.Add(1) - 1 {
				if err := c.visit(int(v)); err != nil {
					c.t.Errorf("visit %d, %+v: %v", v, c.plan(int(v)), err)
				}
			}
		})
	}
	all.Wait()
	c.tasks.Wait()
}

// visit makes one visit and checks what is answered.
func (c *crowd) visit(visit int) (err error) {
	peer, err := net.Dial(c.addr.Network(), c.addr.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, peer.Close()) }()
	p := c.plan(visit)
	if p.ending == endSilent {
		return nil
	}
	peer.SetDeadline(time.Now().Add(patience))
	if _, err := peer.Write(token(visit)); err != nil {
		return err
	}
	switch p.ending {
	case endHalfClosed:
		if err := peer.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			return err
		}
	case endHungUp:
		_, err := readTokens(io.LimitReader(peer, int64(p.after*tokenLen)), visit)
		return err
	}
	n, err := readTokens(peer, visit)
	if p.whole() && n != p.answer*tokenLen {
		return fmt.Errorf("the answer has %d bytes, want %d: %v", n, p.answer*tokenLen, err)
	}
	return err
}

// readTokens reads to the end and checks that there is nothing but the token, over and over.
func readTokens(r io.Reader, visit int) (n int, err error) {
	want := bytes.Repeat(token(visit), 2048+1)
	buf := make([]byte, 2048*tokenLen)
	for {
		got, err := r.Read(buf)
		at := n % tokenLen
		if !bytes.Equal(buf[:got], want[at:at+got]) {
			return n, fmt.Errorf("foreign bytes behind %d: %x", n, buf[:min(got, 64)])
		}
		n += got
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// Accept implements driver.Acceptor.
func (c *crowd) Accept(s driver.Socket) driver.Conn {
	c.tasks.Add(1)
	return &host{rules: rules{t: c.t}, Socket: s, crowd: c}
}

// AcceptFailed implements driver.Acceptor.
func (c *crowd) AcceptFailed(err error, _ time.Duration) { c.t.Errorf("cannot accept: %v", err) }

// A host is the end of a connection that answers.
type host struct {
	rules
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
		done, err := h.send(h.Socket, h.wire)
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
	defer h.sent()()
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
	defer h.end()()
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
