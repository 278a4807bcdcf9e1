package goroutine

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// Send implements driver.Socket. What the socket does not take at once, a
// goroutine writes from a copy.
func (s *socket) Send(head, body []byte) (done bool, err error) {
	for _, p := range []*[]byte{&head, &body} {
		if len(*p) == 0 {
			continue
		}
		n, err := s.tryWrite(*p)
		if err != nil {
			return true, err
		}
		if *p = (*p)[n:]; len(*p) > 0 {
			break
		}
	}
	if len(head)+len(body) == 0 {
		return true, nil
	}
	rest := append(append(pool.Get(len(head)+len(body)), head...), body...)
	go func() {
		err := s.writeRest(rest)
		pool.Put(rest)
		s.conn.Sent(err)
	}()
	return false, nil
}

// Keep implements driver.Socket. Send has copied it already.
func (s *socket) Keep() {}

// writeRest writes as the socket takes it.
func (s *socket) writeRest(p []byte) error {
	if s.driver.WriteTimeout > 0 {
		// It fails on closed connections only, as the write then does.
		_ = s.nc.SetWriteDeadline(time.Now().Add(s.driver.WriteTimeout))
		// Or it would fail what is tried long after.
		defer s.nc.SetWriteDeadline(time.Time{})
	}
	_, err := s.nc.Write(p)
	return err
}
