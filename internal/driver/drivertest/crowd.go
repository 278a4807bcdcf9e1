package drivertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
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
	t        testing.TB
	seed     uint64
	listener net.Listener
	seen     []atomic.Bool  // tokens that hosts were sent
	next     atomic.Int64   // visit
	made     atomic.Int64   // connections
	accepted atomic.Int64   // of them
	tasks    sync.WaitGroup // hosts, until ReceiveEnd, and their goroutines
}

// Crowd makes a great many short connections to d, each with answers of its own, and expects that no byte of one ever gets
// into another, and none is cut short, whoever writes, closes or hangs up at whatever moment.
func Crowd(t testing.TB, d driver.Driver, l net.Listener, visits int) {
	c := &crowd{t: t, listener: l, seed: rand.Uint64(), seen: make([]atomic.Bool, visits)}
	t.Logf("%d visits, seed %d", visits, c.seed)
	ServeTo(t, d, l, c)
	defer CrowdThreads()()
	c.come(40)
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
func (c *crowd) come(visitors int) {
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
	Eventually(c.t, "all connections are accepted", func() bool { return c.accepted.Load() == c.made.Load() })
	c.tasks.Wait()
}

// visit makes one visit and checks what is answered.
func (c *crowd) visit(visit int) (err error) {
	peer, err := dial(c.listener)
	if err != nil {
		return err
	}
	c.made.Add(1)
	defer func() { err = errors.Join(err, peer.Close()) }()
	p := c.plan(visit)
	if p.ending == endSilent {
		return nil
	}
	peer.SetDeadline(time.Now().Add(giveUp))
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
	c.accepted.Add(1)
	return &host{order: order{t: c.t}, Socket: s, crowd: c}
}

// AcceptFailed implements driver.Acceptor.
func (c *crowd) AcceptFailed(err error, _ time.Duration) { c.t.Errorf("cannot accept: %v", err) }
