package goroutine

import "time"

// Send implements driver.Socket. What the socket does not take at once, a
// goroutine writes.
func (s *socket) Send(p []byte) (done bool, err error) {
	n := 0
	if s.raw != nil {
		n, err = s.tryWrite(p)
	}
	if n == len(p) || err != nil {
		return true, err
	}
	go func() { s.conn.Sent(s.writeRest(p[n:])) }()
	return false, nil
}

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
