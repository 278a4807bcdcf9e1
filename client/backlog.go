package client

import (
	"bytes"
	"fmt"
	"math"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

const (
	// maxBuffered is how much STDOUT waits in memory to be read, in bytes. A response that is smaller leaves the
	// application, and a kept connection, free while its reader takes its time.
	maxBuffered = 64 << 10
	// maxQueued is how much may wait for the disk, in bytes.
	maxQueued = 256 << 10
	// readBack is how much is read back from disk at once, in bytes.
	readBack = 64 << 10
)

// A backlog is the part of a response that nobody has read yet. Its beginning is in memory. What does not fit there, where
// the connection brings the responses of others as well, is moved to disk by a goroutine that is there while there is
// something to move: neither a mutex nor readLoop ever waits for a disk. The fields are guarded by conn.mu; the file belongs
// to the goroutine while there is one.
type backlog struct {
	ready  bytes.Buffer // what is next
	stored int64        // bytes on disk, behind that
	moving int          // bytes on their way to disk or back
	queue  []byte       // behind those on disk
	file   spoolFile
	busy   bool // the goroutine is there
	gone   bool // what else comes is not kept
}

// A spoolFile is a queue of bytes on disk: a *spool.File.
type spoolFile interface {
	Write(p []byte) (int, error)
	ReadFull(p []byte) (int, error)
	Close() error
}

// inOrder reports whether everything is in memory, in place.
func (b *backlog) inOrder() bool { return b.stored == 0 && b.moving == 0 && len(b.queue) == 0 }

// empty reports whether there is nothing.
func (b *backlog) empty() bool { return b.ready.Len() == 0 && b.inOrder() }

func (b *backlog) queueFull() bool { return len(b.queue) >= maxQueued }

// put keeps what there is room for in memory, and returns how much that is.
func (b *backlog) put(p []byte) int {
	switch {
	case b.gone:
		return len(p)
	case !b.inOrder():
		return 0
	}
	n := max(0, min(len(p), maxBuffered-b.ready.Len()))
	b.ready.Write(p[:n])
	return n
}

// enqueue keeps what there is room for in the queue for the disk.
func (b *backlog) enqueue(p []byte) int {
	n := min(len(p), maxQueued-len(b.queue))
	b.queue = append(b.queue, p[:n]...)
	return n
}

// read takes what is next.
func (b *backlog) read(p []byte) int {
	n, _ := b.ready.Read(p)
	return n
}

// spill starts the goroutine of a backlog, if it has something to do.
func (c *conn) spill(x *exchange) {
	b := &x.out
	if b.busy || b.idle() {
		return
	}
	b.busy = true
	go c.move(x) // Response.Close waits for it
}

// idle reports whether there is nothing to move.
func (b *backlog) idle() bool {
	if b.gone {
		return b.file == nil
	}
	return len(b.queue) == 0 && (b.stored == 0 || b.ready.Len() > 0)
}

// move moves bytes between memory and disk until there is nothing to do.
func (c *conn) move(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &x.out
	for !b.idle() {
		var err error
		switch {
		case b.gone:
			file := b.file
			b.file, b.stored = nil, 0
			c.mu.Unlock()
			// It has no name, and nobody wants what is in it.
			_ = file.Close()
			c.mu.Lock()
		case b.ready.Len() == 0 && b.stored > 0:
			err = c.fetch(b)
		case b.ready.Len() == 0:
			b.ready.Write(b.queue)
			b.queue = nil
		default:
			err = c.store(b)
		}
		if err != nil && !b.gone {
			x.failLocked(err)
			x.err = err
			b.giveUp()
		}
		x.change.Broadcast()
		c.room.Broadcast()
	}
	b.busy = false
	x.change.Broadcast()
}

// giveUp drops what is not in memory yet, and all that comes.
func (b *backlog) giveUp() { b.queue, b.stored, b.gone = nil, 0, true }

// fetch reads a piece back. It gives up mu meanwhile.
func (c *conn) fetch(b *backlog) error {
	n := int(min(b.stored, readBack))
	b.stored -= int64(n)
	b.moving = n
	c.mu.Unlock()
	buf := pool.Get(n)[:n]
	defer pool.Put(buf)
	_, err := b.file.ReadFull(buf)
	c.mu.Lock()
	b.moving = 0
	switch {
	case err != nil:
		return fmt.Errorf("fastcgi: reading a response back from disk: %w", err)
	case !b.gone:
		b.ready.Write(buf)
	}
	return nil
}

// store writes the queue to disk. It gives up mu meanwhile.
func (c *conn) store(b *backlog) error {
	p := b.queue
	b.queue = nil
	b.moving = len(p)
	c.mu.Unlock()
	err := c.client.write(b, p)
	c.mu.Lock()
	b.moving = 0
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errUnread, err)
	case !b.gone:
		b.stored += int64(len(p))
	}
	return nil
}

// write appends p to the file of a backlog, which is made when it is first needed.
func (c *Client) write(b *backlog, p []byte) error {
	if b.file == nil {
		f, err := c.createSpool()
		if err != nil {
			return err
		}
		b.file = f
	}
	_, err := b.file.Write(p)
	return err
}

// A spooling is where a client's backlogs are on disk.
type spooling struct {
	once   sync.Once
	budget *spool.Budget
	create func() (spoolFile, error) // nil: a file in SpoolDir
}

func (c *Client) createSpool() (spoolFile, error) {
	s := &c.spooling
	if s.create != nil {
		return s.create()
	}
	s.once.Do(func() { s.budget = spool.NewBudget(limit.Of(c.SpoolLimit, DefaultSpoolLimit, math.MaxInt64)) })
	return spool.Create(c.SpoolDir, s.budget)
}

// discard gives up what nobody has read, and what comes.
func (x *exchange) discard() {
	x.out.ready.Reset()
	x.out.giveUp()
	x.conn.spill(x)
	x.conn.room.Broadcast()
	x.change.Broadcast()
}
