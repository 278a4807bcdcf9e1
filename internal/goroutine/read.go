package goroutine

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// readSize is how much is read at once, in bytes. It holds a whole request with
// its parameters in nearly every case.
const readSize = 16 << 10

// readLoop reads until the connection ends. Closing the socket is up to the
// connection, which may still have something to say. A callback may end this goroutine
// (runtime.Goexit): another goes on then.
func (s *socket) readLoop() {
	over := false
	defer func() {
		if !over {
			go s.readLoop()
		}
	}()
	for {
		s.waitWhilePaused()
		buf, err := s.read()
		if len(buf) > 0 {
			s.receive(buf)
		}
		pool.Put(buf)
		if err != nil {
			over = true
			s.endInput(s.cause(err))
			return
		}
	}
}

func (s *socket) receive(p []byte) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.conn.Receive(p, driver.Now())
}

// endInput tells the connection that nothing more will be read.
func (s *socket) endInput(err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.inputEnded = true
	s.conn.ReceiveEnd(err)
}

// readBuffered is how connections without a descriptor are read: they hold a
// buffer while they wait.
func (s *socket) readBuffered() ([]byte, error) {
	buf := pool.Get(readSize)
	n, err := s.nc.Read(buf[:cap(buf)])
	return buf[:n], err
}

// Pause implements driver.Socket.
func (s *socket) Pause() {
	s.mu.Lock()
	s.paused = true
	s.mu.Unlock()
}

// Resume implements driver.Socket.
func (s *socket) Resume() {
	s.mu.Lock()
	s.paused = false
	s.changed.Broadcast()
	s.mu.Unlock()
}

// hangupInterval is how often a paused connection is asked whether the peer is
// still there: seldom enough to cost nothing, often enough to cancel within
// 100 ms.
const hangupInterval = 50 * time.Millisecond

// waitWhilePaused waits for Resume or Close. Nothing reads meanwhile, so
// nothing would see that the peer goes away: that is asked for.
func (s *socket) waitWhilePaused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.paused && !s.closed {
		if s.under != nil && !s.watching {
			s.watching = true
			time.AfterFunc(hangupInterval, s.checkHangup)
		}
		s.changed.Wait()
	}
}

// checkHangup tells the connection if its peer is gone, and asks again in a while,
// as long as reading is paused: there may be requests by then that were not there
// before.
func (s *socket) checkHangup() {
	s.mu.Lock()
	s.watching = s.paused && !s.closed
	watching := s.watching
	s.mu.Unlock()
	if !watching {
		return
	}
	defer time.AfterFunc(hangupInterval, s.checkHangup)
	if hungUp(s.under) {
		s.hangUp()
	}
}

func (s *socket) hangUp() {
	s.turn.Lock()
	defer s.turn.Unlock()
	if !s.inputEnded { // as it may have by now
		s.conn.Hangup()
	}
}
