package goroutine

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// Send implements driver.Socket. What the socket does not take at once, a
// goroutine writes.
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

// Keep implements driver.Socket. Send has copied what is left already.
func (s *socket) Keep() {}

// finishSend writes what the socket did not take at once. The body is from the
// pool.
func (s *socket) finishSend(head, body []byte) {
	err := s.writeRest(head)
	if err == nil {
		err = s.writeRest(body)
	}
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

// writeRest writes as the socket takes it.
func (s *socket) writeRest(p []byte) error {
	if s.driver.WriteTimeout > 0 {
		// It fails on closed connections only, as the write then does.
		_ = s.nc.SetWriteDeadline(time.Now().Add(s.driver.WriteTimeout))
		// Or it would fail what is tried long after.
		defer s.nc.SetWriteDeadline(time.Time{})
	}
	if len(p) == 0 {
		return nil
	}
	_, err := s.nc.Write(p)
	return err
}
