package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
)

// A spool holds a body whose length was unknown: in memory, or in a file without
// a name.
type spool struct {
	reader io.ReadSeeker
	length int64
	file   *os.File // nil if it fits into memory
	name   string   // of file, if it still has one
}

// spool reads body to its end.
func (h *Handler) spool(body io.Reader) (*spool, error) {
	memory, limit := h.SpoolMemory, h.SpoolLimit
	if memory == 0 {
		memory = DefaultSpoolMemory
	}
	if limit == 0 {
		limit = DefaultSpoolLimit
	}
	// One byte more than allowed tells whether there is more.
	body = io.LimitReader(body, limit+1)
	var start bytes.Buffer
	n, err := io.CopyN(&start, body, min(memory, limit)+1)
	switch {
	case errors.Is(err, io.EOF):
		return &spool{reader: bytes.NewReader(start.Bytes()), length: n}, nil
	case err != nil:
		return nil, bodyError(err)
	case n > limit:
		return nil, tooLarge(limit)
	}
	return h.spoolFile(io.MultiReader(&start, body), limit)
}

// spoolFile moves a body to a temporary file.
func (h *Handler) spoolFile(body io.Reader, limit int64) (*spool, error) {
	f, err := os.CreateTemp(h.SpoolDir, "fastcgi-spool-")
	if err != nil {
		return nil, diskError(err)
	}
	s := &spool{reader: f, file: f}
	// Without a name it is gone when this process is, however that ends. Where
	// open files can not be removed, close does it.
	if os.Remove(f.Name()) != nil {
		s.name = f.Name()
	}
	if s.length, err = io.Copy(diskWriter{f}, body); err != nil {
		s.close()
		return nil, bodyError(err)
	}
	if s.length > limit {
		s.close()
		return nil, tooLarge(limit)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		s.close()
		return nil, diskError(err)
	}
	return s, nil
}

func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
	}
	if s.name != "" {
		os.Remove(s.name)
		s.name = ""
	}
}

// A diskWriter tells errors of the disk from errors of the body that is copied
// to it.
type diskWriter struct{ f *os.File }

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
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

// bodyError says what it means that the client's body can not be read.
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
