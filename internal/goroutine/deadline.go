package goroutine

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// SetDeadline implements driver.Socket.
func (s *socket) SetDeadline(t driver.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	switch {
	case s.closed:
	case t == 0:
		if s.timer != nil {
			s.timer.Stop()
		}
	case s.timer == nil:
		s.timer = time.AfterFunc(t.Sub(driver.Now()), s.expire)
	default:
		s.timer.Reset(t.Sub(driver.Now()))
	}
}

// expire calls Expire, unless the deadline was moved when the timer had fired.
func (s *socket) expire() {
	s.turn.Lock()
	defer s.turn.Unlock()
	if now := driver.Now(); !s.inputEnded && s.takeDeadline(now) {
		s.conn.Expire(now)
	}
}

// takeDeadline reports whether there is a deadline that has come, and removes it.
func (s *socket) takeDeadline(now driver.Instant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadline == 0 || now < s.deadline {
		return false
	}
	s.deadline = 0
	return true
}
