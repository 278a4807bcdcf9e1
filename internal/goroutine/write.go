package goroutine

import (
	"errors"
	"os"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// Send implements driver.Socket. What the socket does not take at once, a
// goroutine writes: of the body, which may be lent, a copy.
func (s *socket) Send(head, body []byte) (done bool, err error) {
	for _, p := range []*[]byte{&head, &body} {
		if len(*p) == 0 {
			continue
		}
		n, err := s.tryWrite(*p)
		if err != nil {
			return true, s.cause(err)
		}
		if *p = (*p)[n:]; len(*p) > 0 {
			break
		}
	}
	if len(head)+len(body) == 0 {
		return true, nil
	}
	go s.finishSend(head, append(pool.Get(len(body)), body...))
	return false, nil
}

// Keep implements driver.Socket. Send has copied what was left.
func (s *socket) Keep() {}

// finishSend writes what the socket did not take at once. The body is from the
// pool.
func (s *socket) finishSend(head, body []byte) {
	err := s.writePending(head, body)
	pool.Put(body)
	if err != nil {
		err = s.cause(err)
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn != nil { // Accept may have written, and then refused
		s.conn.Sent(err)
	}
}

// writePending writes as the socket takes it, until that is nothing for
// WriteTimeout.
func (s *socket) writePending(parts ...[]byte) error {
	if s.looksFromOutside() {
		return s.writeWatched(parts)
	}
	var stall driver.Stall
	stall.Took(driver.Now())
	if s.driver.WriteTimeout > 0 {
		// Or it would fail what is tried long after.
		defer s.nc.SetWriteDeadline(time.Time{})
	}
	for _, p := range parts {
		for len(p) > 0 {
			s.limitWrite(&stall)
			n, err := s.write(p)
			p = p[n:]
			if n > 0 {
				stall.Took(driver.Now())
			}
			switch late := errors.Is(err, os.ErrDeadlineExceeded); {
			case late && n == 0 && s.stalled(&stall), err != nil && !late:
				return err
			}
		}
	}
	return nil
}

// limitWrite has the next write return when it is time to look for progress.
func (s *socket) limitWrite(stall *driver.Stall) {
	timeout := s.driver.WriteTimeout
	if timeout <= 0 {
		return
	}
	due := stall.End(timeout)
	if s.raw != nil && driver.SeesQueue {
		due = stall.Due(timeout)
	}
	// It fails on closed connections only, as the write then does.
	_ = s.nc.SetWriteDeadline(due.Time())
}

// stalled reports whether the peer has taken nothing for WriteTimeout, when a write
// has waited in vain.
func (s *socket) stalled(stall *driver.Stall) bool {
	if s.raw == nil {
		return true // which had all the time
	}
	var queued int
	var ok bool
	// It fails on closed connections only, as the next write then does.
	_ = s.raw.Control(func(fd uintptr) { queued, ok = driver.Queued(fd) })
	return stall.Check(driver.Now(), s.driver.WriteTimeout, queued, ok)
}

// pieceSize is how many bytes at most are written at once to a connection without a
// descriptor, of which the peer must take some within WriteTimeout: what TLS puts
// into a record.
const pieceSize = 16 << 10

// writePiece is how such connections are written to.
func (s *socket) writePiece(p []byte) (int, error) {
	return s.nc.Write(p[:min(len(p), pieceSize)])
}
