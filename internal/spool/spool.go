// Package spool keeps input that nobody reads yet on disk, within a budget that
// a whole server shares.
//
// It sits on nothing. Package engine uses it for input, the gateway and
// client.Transport for bodies.
package spool

import (
	"errors"
	"io"
	"math"
	"os"
	"sync/atomic"
)

// ErrFull is returned by Write when the budget is used up.
var ErrFull = errors.New("spool is full")

// A Budget is a number of bytes that many users draw from.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a Budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Take draws n bytes, all or none, and reports whether it did.
func (b *Budget) Take(n int) bool {
	for {
		used := b.used.Load()
		if int64(n) > b.limit-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+int64(n)) {
			return true
		}
	}
}

// Fits reports whether Take(n) would succeed now.
func (b *Budget) Fits(n int) bool { return int64(n) <= b.limit-b.used.Load() }

// Limit returns how many bytes there are in all.
func (b *Budget) Limit() int { return int(min(b.limit, math.MaxInt)) }

// Give returns n bytes that were taken.
func (b *Budget) Give(n int64) { b.used.Add(-n) }

// Used returns how many bytes are taken.
func (b *Budget) Used() int64 { return b.used.Load() }

// A File is a queue of bytes in a temporary file that has no name any more, so
// that it is gone whatever happens to the process. It is not safe for
// concurrent use.
type File struct {
	budget *Budget
	f      *os.File
	linked bool  // the name could not be removed while the file is open
	in     int64 // bytes written since it was last empty
	out    int64 // bytes read of them
}

// Create makes a File in dir; "" is the default directory for temporary files.
func Create(dir string, budget *Budget) (*File, error) {
	f, linked, err := createTemp(dir)
	if err != nil {
		return nil, err
	}
	return &File{budget: budget, f: f, linked: linked}, nil
}

// createTemp makes a file without a name, or one that is still linked to its
// name: Windows removes no open file.
func createTemp(dir string) (f *os.File, linked bool, err error) {
	f, err = os.CreateTemp(dir, "fastcgi-")
	if err != nil {
		return nil, false, err
	}
	return f, os.Remove(f.Name()) != nil, nil
}

// Len returns how many bytes wait to be read.
func (s *File) Len() int64 { return s.in - s.out }

// Write appends p, all or nothing.
func (s *File) Write(p []byte) (int, error) {
	if !s.budget.Take(len(p)) {
		return 0, ErrFull
	}
	if _, err := s.f.WriteAt(p, s.in); err != nil {
		s.budget.Give(int64(len(p)))
		return 0, err
	}
	s.in += int64(len(p))
	return len(p), nil
}

// Read takes bytes from the front; io.EOF if there are none.
func (s *File) Read(p []byte) (int, error) {
	if s.Len() == 0 {
		return 0, io.EOF
	}
	n, err := s.f.ReadAt(p[:min(int64(len(p)), s.Len())], s.out)
	if n > 0 {
		err = nil
	}
	s.out += int64(n)
	if s.Len() == 0 {
		s.rewind()
	}
	return n, err
}

// rewind gives the disk space back once everything was read.
func (s *File) rewind() {
	// If it fails the next writes go over the old bytes, which is as good.
	_ = s.f.Truncate(0)
	s.budget.Give(s.in)
	s.in, s.out = 0, 0
}

// Close gives everything back.
func (s *File) Close() error {
	s.budget.Give(s.in)
	s.in, s.out = 0, 0
	return closeTemp(s.f, s.linked)
}

func closeTemp(f *os.File, linked bool) error {
	err := f.Close()
	if linked {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// TakeMore draws n bytes, whatever the limit: for what has to be kept for a moment
// and is bounded in another way.
func (b *Budget) TakeMore(n int) { b.used.Add(int64(n)) }

// Exhausted reports whether the budget is used up.
func (b *Budget) Exhausted() bool { return b.used.Load() >= b.limit }

// ReadFull is Read for len(p) bytes that are known to be there.
func (s *File) ReadFull(p []byte) (int, error) {
	for n := 0; n < len(p); {
		k, err := s.Read(p[n:])
		if n += k; err != nil {
			return n, err
		}
	}
	return len(p), nil
}
