package main

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/simple-fastcgi/fastcgi"
)

// A stream sends the entries of a directory as they are read. It runs in a
// goroutine for as long as there is room for them; when there is room again,
// OnDrain makes it another.
type stream struct {
	ex fastcgi.Exchange

	mu    sync.Mutex // held while the stream runs
	dir   *directory
	piece []byte // what to send next
	over  bool
}

func (s *stream) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.over {
		_, err := s.ex.Write(s.piece)
		switch {
		case errors.Is(err, fastcgi.ErrFull):
			return
		case err != nil:
			s.end(0) // the web server is gone
		default:
			_ = s.ex.Flush() // if this fails, so does the next Write
			s.advance()
		}
	}
}

// advance reads what to send next, or ends the stream behind the last of it.
func (s *stream) advance() {
	piece, err := s.dir.next()
	switch {
	case errors.Is(err, io.EOF):
		s.end(0)
	case err != nil:
		// The status is sent, so all that is left is to say so elsewhere.
		_, _ = fmt.Fprintf(s.ex.Stderr(), "dirlist: %v\n", err)
		s.end(1)
	}
	s.piece = piece
}

// stop ends the stream early.
func (s *stream) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(0)
}

func (s *stream) end(appStatus uint32) {
	if s.over {
		return
	}
	s.over = true
	s.dir.close()
	_ = s.ex.Finish(appStatus)
}
