package fastcgi

import (
	"io"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// An input is what arrived of one stream of a request, STDIN or DATA, and was
// not read yet: first buf, then what had to go to disk, then what found no room
// there. It is guarded by the connection's mutex.
type input struct {
	buf   []byte // from the pool
	off   int    // how much of buf was read
	spill *spool.File
	tail  []byte // from the pool
	ended bool   // the web server sent the end of the stream
	err   error  // what reading returns once everything is read, instead of io.EOF
}

// noInput is the DATA of requests that have none. It is never written to.
var noInput = input{ended: true}

// buffered returns how many bytes are in memory.
func (in *input) buffered() int { return len(in.buf) - in.off }

// waiting returns how many bytes can be read.
func (in *input) waiting() int64 {
	n := int64(in.buffered() + len(in.tail))
	if in.spill != nil {
		n += in.spill.Len()
	}
	return n
}

// empty reports whether there is nothing to drop.
func (in *input) empty() bool { return in.buf == nil && in.tail == nil && in.spill == nil }

// over reports whether nothing more will come.
func (in *input) over() bool { return in.ended || in.err != nil }

// spilling reports whether something is on disk, so that what comes next has to
// go behind it.
func (in *input) spilling() bool { return in.spill != nil && in.spill.Len() > 0 }

// push appends p in memory.
func (in *input) push(p []byte) {
	if in.off > 0 {
		n := copy(in.buf, in.buf[in.off:])
		in.buf, in.off = in.buf[:n], 0
	}
	in.buf = append(pool.Grow(in.buf, len(p)), p...)
}

// pushSpill appends p on disk.
func (in *input) pushSpill(p []byte, dir string, budget *spool.Budget) error {
	if !budget.Fits(len(p)) {
		return spool.ErrFull // and make no file for nothing
	}
	if in.spill == nil {
		f, err := spool.Create(dir, budget)
		if err != nil {
			return err
		}
		in.spill = f
	}
	_, err := in.spill.Write(p)
	return err
}

// pushTail appends p behind a spool that has no room for it.
func (in *input) pushTail(p []byte) {
	in.tail = append(pool.Grow(in.tail, len(p)), p...)
}

// read takes bytes from the front. It returns 0 and no error if none are there
// yet.
func (in *input) read(p []byte) (n int, err error) {
	if in.buffered() > 0 {
		n = copy(p, in.buf[in.off:])
		in.off += n
		if in.buffered() == 0 {
			in.freeBuffer()
		}
		return n, nil
	}
	if in.spilling() {
		return in.spill.Read(p)
	}
	if len(in.tail) > 0 {
		in.buf, in.tail = in.tail, nil
		return in.read(p)
	}
	return 0, in.end()
}

// end returns what reading returns once everything is read: nil if more may come.
func (in *input) end() error {
	switch {
	case in.err != nil:
		return in.err
	case in.ended:
		return io.EOF
	}
	return nil
}

// take removes a piece from the front, in a buffer that the caller gives back
// to the pool.
func (in *input) take() (piece, buf []byte, err error) {
	switch {
	case in.buffered() > 0:
		piece, buf = in.buf[in.off:], in.buf
		in.buf, in.off = nil, 0
		return piece, buf, nil
	case in.waiting() == 0:
		return nil, nil, in.end()
	}
	buf = pool.Get(segmentSize)
	n, err := in.read(buf[:cap(buf)])
	return buf[:n], buf, err
}

// fail ends the stream early: reading returns err once everything is read.
func (in *input) fail(err error) {
	if !in.over() {
		in.err = err
	}
}

// drop forgets what was not read.
func (in *input) drop() error {
	in.freeBuffer()
	pool.Put(in.tail)
	in.tail = nil
	if in.spill == nil {
		return nil
	}
	err := in.spill.Close()
	in.spill = nil
	return err
}

func (in *input) freeBuffer() {
	pool.Put(in.buf)
	in.buf, in.off = nil, 0
}
