package goroutine

import "time"

// Kick implements driver.Socket.
func (s *socket) Kick() {
	s.mu.Lock()
	if s.writing {
		s.again = true
		s.mu.Unlock()
		return
	}
	s.writing = true
	s.mu.Unlock()
	s.writeAtOnce()
}

// writeAtOnce writes what the socket takes without waiting. If it does not take
// all, a goroutine goes on.
func (s *socket) writeAtOnce() {
	for {
		p := s.conn.Output()
		if len(p) == 0 {
			if s.doneWriting() {
				return
			}
			continue
		}
		if s.raw == nil {
			go s.writeLoop()
			return
		}
		n, err := s.tryWrite(p)
		s.conn.Sent(n, err)
		if err != nil {
			return
		}
		if n < len(p) {
			go s.writeLoop()
			return
		}
	}
}

// writeLoop writes, and waits for the socket, until there is no output left.
func (s *socket) writeLoop() {
	for {
		p := s.conn.Output()
		if len(p) == 0 {
			// Or it would fail what is tried long after.
			_ = s.nc.SetWriteDeadline(time.Time{})
			if s.doneWriting() {
				return
			}
			continue
		}
		if s.driver.WriteTimeout > 0 {
			// It fails on closed connections only, as the write then does.
			_ = s.nc.SetWriteDeadline(time.Now().Add(s.driver.WriteTimeout))
		}
		n, err := s.nc.Write(p)
		s.conn.Sent(n, err)
		if err != nil {
			return
		}
	}
}

// doneWriting lets the next Kick write, unless one came in between. After an
// error of Sent it is not reached, and writing is over for good.
func (s *socket) doneWriting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = s.again
	s.again = false
	return !s.writing
}
