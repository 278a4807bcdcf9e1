//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// slowConns is how many connections there are in the work of a slow reader, it
// included.
const slowConns = 64

// slowReader measures how long others wait beside one that takes its answers
// slowly.
func slowReader(b *bench, _ work, s *subject) (figures, error) {
	l := b.load(s, shape{keep: true, share: 1, conns: slowConns - 1})
	slow := *l
	slow.question.query, slow.want = "large", harness.Want{Pattern: s.size}
	r := &reluctant{worker: slow.worker(), begun: make(chan struct{}), stop: make(chan struct{})}
	if err := r.start(); err != nil {
		return figures{}, err
	}
	<-r.begun
	f, err := b.best(s, l.run)
	if wrong := r.end(); err == nil {
		err = wrong
	}
	return f, err
}

// A reluctant worker takes 16 KiB at a time, 64 times a second.
type reluctant struct {
	*worker
	begun chan struct{} // closed by the reader when it has read something
	once  sync.Once
	stop  chan struct{} // closed by end
	ended sync.WaitGroup
	wrong error // what the reader found, for end
}

// start has it ask over and over.
func (r *reluctant) start() error {
	if err := r.worker.dial(); err != nil {
		return err
	}
	r.worker.in = bufio.NewReaderSize(slowly{r.worker.conn, r}, 64*kib)
	r.ended.Go(func() {
		defer r.once.Do(func() { close(r.begun) })
		for r.wrong == nil {
			r.wrong = r.worker.exchange()
		}
	})
	return nil
}

// end stops it and returns what went wrong before.
func (r *reluctant) end() error {
	close(r.stop)
	r.ended.Wait()
	r.worker.close()
	if r.wrong != nil && !errors.Is(r.wrong, errStopped) {
		return fmt.Errorf("the slow reader: %w", r.wrong)
	}
	return nil
}

// slowly is a connection as it is read by a reluctant.
type slowly struct {
	net.Conn
	by *reluctant
}

func (s slowly) Read(p []byte) (int, error) {
	select {
	case <-s.by.stop:
		return 0, errStopped
	case <-time.After(time.Second / 64):
	}
	n, err := s.Conn.Read(p[:min(len(p), 16*kib)])
	s.by.once.Do(func() { close(s.by.begun) })
	return n, err
}

var errStopped = errors.New("stopped")
