package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// A spooled body is one whose length was unknown until it was read.
type spooled struct {
	reader io.Reader
	length int64
	file   *spoolReader // nil if it fits into memory
}

// A spoolReader is read by the goroutine of package client, which may be in the
// middle of that when the response is over and the file is closed.
type spoolReader struct {
	mu     sync.Mutex
	file   *spool.File
	closed bool
}

func (s *spoolReader) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errStopped
	}
	return s.file.Read(p)
}

func (s *spoolReader) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.file.Close()
}

// spool reads body to its end.
func (h *Handler) spool(body io.Reader) (*spooled, error) {
	const none = math.MaxInt64 - 1 // one more is still a number
	memory := limit.Of(h.SpoolMemory, DefaultSpoolMemory, none)
	most := limit.Of(h.SpoolLimit, DefaultSpoolLimit, none)
	// One byte more than fits tells whether there is more.
	var start bytes.Buffer
	n, err := io.CopyN(&start, body, min(memory, most, none)+1)
	switch {
	case errors.Is(err, io.EOF):
		return &spooled{reader: bytes.NewReader(start.Bytes()), length: n}, nil
	case err != nil:
		return nil, bodyError(err)
	case n > most:
		return nil, tooLarge(most)
	}
	return h.spoolFile(io.MultiReader(&start, body), most)
}

// spoolFile moves a body to a temporary file.
func (h *Handler) spoolFile(body io.Reader, limit int64) (*spooled, error) {
	f, err := spool.Create(h.SpoolDir, spool.NewBudget(limit))
	if err != nil {
		return nil, diskError(err)
	}
	n, err := io.Copy(diskWriter{f}, body)
	switch {
	case errors.Is(err, spool.ErrFull):
		err = tooLarge(limit)
	case err != nil:
		err = bodyError(err)
	default:
		file := &spoolReader{file: f}
		return &spooled{reader: file, length: n, file: file}, nil
	}
	f.Close()
	return nil, err
}

func (s *spooled) close() {
	if s.file != nil {
		s.file.close()
	}
}

// A diskWriter tells errors of the disk from errors of the body that is copied
// to it.
type diskWriter struct{ w io.Writer }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil && !errors.Is(err, spool.ErrFull) {
		err = diskError(err)
	}
	return n, err
}

func tooLarge(limit int64) error {
	return statusError(http.StatusRequestEntityTooLarge, "the body has more than %d bytes and no Content-Length", limit)
}

func diskError(err error) error {
	code := http.StatusInternalServerError
	if errors.Is(err, syscall.ENOSPC) {
		code = http.StatusInsufficientStorage
	}
	return &failure{code, fmt.Errorf("spooling the body: %w", err)}
}

// bodyError says what it means that the client's body cannot be read.
func bodyError(err error) error {
	var known *failure
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &tooLarge):
		return &failure{http.StatusRequestEntityTooLarge, err}
	}
	return &failure{http.StatusBadRequest, fmt.Errorf("reading the body: %w", err)}
}
