package engine

import (
	"errors"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// A spill is the part of a stream of input that is on disk. All work with the file
// is done by a goroutine of its own, which is there while there is something to
// move: no loop and no mutex ever waits for a disk. The fields are guarded by
// conn.mu; the file belongs to the goroutine while there is one.
type spill struct {
	file   spoolFile
	stored int64 // bytes on disk that were not read back
	moving int   // bytes in memory on their way to the file or back
	busy   bool  // the goroutine is there
	stuck  bool  // there is no room on disk, or no disk: tail waits in memory
	gone   bool  // nobody wants the input any more
	owner  *sync.WaitGroup
}

// A spoolFile is a queue of bytes on disk: a *spool.File.
type spoolFile interface {
	Write(p []byte) (int, error)
	ReadFull(p []byte) (int, error)
	Close() error
}

// spillQueue is how many bytes of a stream, beyond StdinBuffer, may wait in memory
// for a disk until the connection is not read any more.
const spillQueue = 64 << 10

// readBack is how many bytes are read back at once.
const readBack = segmentSize

// empty reports whether nothing is on disk or on its way.
func (s *spill) empty() bool { return s.stored == 0 && s.moving == 0 }

// discard gives up the file.
func (s *spill) discard() {
	s.gone = true
	if !s.busy && s.file != nil {
		s.busy = true
		s.owner.Go(s.close)
	}
}

// close closes the file, which gives its space back to the budget and the disk. An
// error changes nothing: the file has no name and its content is not wanted.
func (s *spill) close() { _ = s.file.Close() }

// store keeps a piece of input until it is read: in memory as long as that is
// enough, else on its way to disk.
func (c *conn) store(x *exchange, in *input, p []byte) {
	if x.measured && in.left == 0 {
		return // beyond what was announced
	}
	full := c.spills(x) && in.ready() >= c.engine.StdinBuffer
	if in.inOrder() && !full && x.charge(len(p)) {
		in.push(p)
		return
	}
	if in.spill == nil {
		in.spill = &spill{owner: &c.engine.spilling}
	}
	// It waits in memory no longer than the disk takes; adjustFlow sees to it that
	// little does.
	c.holdMore(len(p))
	x.charged += len(p)
	in.pushTail(p)
	c.startSpill(x, in)
}

// refill has what is on disk read back where a handler has read all before it.
func (c *conn) refill(x *exchange) {
	c.startSpill(x, &x.stdin)
	c.startSpill(x, x.data)
}

// startSpill starts the goroutine of a spill that has something to do.
func (c *conn) startSpill(x *exchange, in *input) {
	s := in.spill
	if s == nil || s.busy || s.idle(in) {
		return
	}
	s.busy = true
	s.owner.Go(func() { c.runSpill(x, in, s) })
}

// idle reports whether there is nothing to move.
func (s *spill) idle(in *input) bool {
	return (in.ready() > 0 || s.stored == 0) && (len(in.tail) == 0 || s.stuck)
}

// runSpill moves bytes between memory and disk until there is nothing to do.
func (c *conn) runSpill(x *exchange, in *input, s *spill) {
	c.enter()
	for !s.gone && !s.idle(in) {
		if in.ready() == 0 && s.stored > 0 {
			c.fetch(x, in, s)
		} else {
			c.spillTail(x, in, s)
		}
		if !s.gone {
			x.settle()
			x.wake()
			c.notifyBody(x)
			c.adjustFlow()
		}
		// Others have their turn, and what was noted is done.
		c.leave()
		c.enter()
	}
	s.busy = false
	file := s.file
	gone := s.gone
	c.leave()
	if gone && file != nil {
		s.close()
	}
}

// fetch reads a piece back. The mutex is given up meanwhile.
func (c *conn) fetch(x *exchange, in *input, s *spill) {
	n := int(min(s.stored, readBack))
	s.stored -= int64(n)
	s.moving = n
	c.holdMore(n)
	x.charged += n
	c.leave()
	buf := pool.Get(n)
	n, err := s.file.ReadFull(buf[:n])
	c.enter()
	if s.gone {
		pool.Put(buf)
		return
	}
	s.moving = 0
	if err != nil {
		pool.Put(buf)
		c.overflow(x, spillFailed(err))
		return
	}
	in.head, in.off = buf[:n], 0
}

// spillTail writes what is next to go to disk. The mutex is given up meanwhile.
func (c *conn) spillTail(x *exchange, in *input, s *spill) {
	p := in.tail
	in.tail = nil
	s.moving = len(p)
	c.leave()
	err := s.write(p, c.engine)
	c.enter()
	if s.gone {
		pool.Put(p)
		return
	}
	s.moving = 0
	switch {
	case err == nil:
		s.stored += int64(len(p))
		pool.Put(p)
	case c.mode != flowShared && !x.held():
		// It is alone, so it can wait: the socket is not read until its handler has
		// taken what is here.
		in.tail = append(pool.Grow(p, len(in.tail)), in.tail...)
		s.stuck = true
		c.warnSpool(err)
	case errors.Is(err, spool.ErrFull):
		pool.Put(p)
		c.overflow(x, ErrSpoolFull)
	default:
		pool.Put(p)
		c.overflow(x, spillFailed(err))
	}
}

// write appends p to the file, which is made when it is first needed.
func (s *spill) write(p []byte, e *Engine) error {
	if !e.spool.Fits(len(p)) {
		return spool.ErrFull // and make no file for nothing
	}
	if s.file == nil {
		f, err := e.createSpool()
		if err != nil {
			return err
		}
		s.file = f
	}
	_, err := s.file.Write(p)
	return err
}

// warnSpool logs that a spool cannot be used, where that is all that comes of it.
// That it is full is no reason to.
func (c *conn) warnSpool(err error) {
	if !errors.Is(err, spool.ErrFull) {
		c.complain(complainSpool, "cannot spool input; the request waits in memory", "error", err)
	}
}
