package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
)

// Limits say where a body is kept, and how much of it.
type Limits struct {
	Memory int64  // bytes in memory; a body with more goes to a file
	Size   int64  // bytes in all
	Dir    string // for the file; "" is the default directory for temporary files
}

// Unlimited is a limit that no body reaches.
const Unlimited = math.MaxInt64 - 1 // one more is still a number

// A TooLargeError says that a body is larger than Limits.Size.
type TooLargeError struct{ Limit int64 }

// Error names the limit.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the body has more than %d bytes", e.Limit)
}

// A DiskError says that a body could not be kept on disk, as opposed to one that
// could not be read.
type DiskError struct{ Err error }

// Error says so.
func (e *DiskError) Error() string { return "spooling the body: " + e.Err.Error() }

// Unwrap returns Err.
func (e *DiskError) Unwrap() error { return e.Err }

// A Body is a body that was read to its end, so that its length is known and it
// can be read more than once.
type Body struct {
	length int64
	memory []byte // if it fits
	file   *fileBody
}

// ReadBody reads r to its end. Its error is a *TooLargeError, a *DiskError, or
// one of r.
func ReadBody(r io.Reader, limits Limits) (*Body, error) {
	// One byte more than fits tells whether there is more.
	var start bytes.Buffer
	n, err := io.CopyN(&start, r, min(limits.Memory, limits.Size, Unlimited)+1)
	switch {
	case errors.Is(err, io.EOF):
		return &Body{length: n, memory: start.Bytes()}, nil
	case err != nil:
		return nil, err
	case n > limits.Size:
		return nil, &TooLargeError{limits.Size}
	}
	return readFile(io.MultiReader(&start, r), limits)
}

// readFile moves a body to a temporary file.
func readFile(r io.Reader, limits Limits) (*Body, error) {
	f, linked, err := createTemp(limits.Dir)
	if err != nil {
		return nil, &DiskError{err}
	}
	n, err := io.Copy(diskWriter{f}, io.LimitReader(r, min(limits.Size, Unlimited)+1))
	if err == nil && n > limits.Size {
		err = &TooLargeError{limits.Size}
	}
	if err != nil {
		closeTemp(f, linked)
		return nil, err
	}
	return &Body{length: n, file: &fileBody{SectionReader: io.NewSectionReader(f, 0, n), file: f, linked: linked}}, nil
}

// Len returns how many bytes it has.
func (b *Body) Len() int64 { return b.length }

// Reader returns what reads it from the start, for one goroutine. It may be in the
// middle of that when Close is called; what it returns afterwards is os.ErrClosed
// where the body is in a file.
func (b *Body) Reader() io.ReadSeeker {
	if b.file == nil {
		return bytes.NewReader(b.memory)
	}
	return b.file
}

// Close gives back what the body takes. It may be called more than once.
func (b *Body) Close() {
	if b.file != nil {
		b.file.close()
	}
}

// A fileBody is a body in a file, which one goroutine reads and another closes.
type fileBody struct {
	mu sync.Mutex
	*io.SectionReader
	file   *os.File
	linked bool
	closed bool
}

func (b *fileBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, os.ErrClosed
	}
	return b.SectionReader.Read(p)
}

func (b *fileBody) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		closeTemp(b.file, b.linked)
	}
}

// A diskWriter tells errors of the disk from errors of the body that is copied to
// it.
type diskWriter struct{ w io.Writer }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		err = &DiskError{err}
	}
	return n, err
}
