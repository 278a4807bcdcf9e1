//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A dialect is a protocol that applications are asked in.
type dialect interface {
	// encode returns the request of a question.
	encode(q question) message
	// read reads one answer, and gives its header and body to a.
	read(in *bufio.Reader, a *harness.Answer) error
}

// A question is what is asked of an application.
type question struct {
	script string // SCRIPT_FILENAME
	query  string // QUERY_STRING
	upload int64  // bytes of the body, a multiple of pieceSize
	keep   bool   // whether the connection is used again
	id     uint16 // of the request; 0 is 1
}

// A message is an encoded request.
type message struct {
	head  []byte
	piece []byte // of the body, sent so many times
	times int
	tail  []byte
}

// send writes the message, one without a body in one write.
func (m message) send(w io.Writer) error {
	if _, err := w.Write(m.head); err != nil {
		return err
	}
	for range m.times {
		if _, err := w.Write(m.piece); err != nil {
			return err
		}
	}
	if len(m.tail) == 0 {
		return nil
	}
	_, err := w.Write(m.tail)
	return err
}

// A load is requests for a server, on several connections at once.
type load struct {
	socket   string
	dialect  dialect
	question question
	want     harness.Want
	conns    int
	requests int
	limit    time.Duration
}

// run sends the requests, or of so many one, until they or the time is up.
func (l *load) run(share int) (outcome, error) {
	var (
		left  atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   outcome
		wrong error
	)
	left.Store(int64(max(1, l.requests/share)))
	start := time.Now()
	until := start.Add(l.limit)
	for range l.conns {
		wg.Go(func() {
			w := l.worker()
			defer w.close()
			err := w.work(&left, until)
			mu.Lock()
			defer mu.Unlock()
			all.took = append(all.took, w.took...)
			wrong = errors.Join(wrong, err)
		})
	}
	wg.Wait()
	all.elapsed = time.Since(start)
	slices.Sort(all.took)
	if wrong == nil && len(all.took) == 0 {
		wrong = errors.New("no request was answered")
	}
	return all, firstOf(wrong)
}

// firstOf is one of several joined errors: connections tend to fail alike.
func firstOf(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return firstOf(joined.Unwrap()[0])
	}
	return err
}

func (l *load) worker() *worker {
	return &worker{
		socket:  l.socket,
		dialect: l.dialect,
		message: l.dialect.encode(l.question),
		answer:  harness.Answer{Want: l.want},
		keep:    l.question.keep,
	}
}

// A worker asks one thing after another.
type worker struct {
	socket  string
	dialect dialect
	message message
	answer  harness.Answer
	keep    bool
	took    []time.Duration
	conn    net.Conn
	in      *bufio.Reader
}

// roundTimeout is how long any one round of requests may hang.
const roundTimeout = 2 * time.Minute

func (w *worker) work(left *atomic.Int64, until time.Time) error {
	for left.Add(-1) >= 0 {
		start := time.Now()
		if start.After(until) && len(w.took) > 0 {
			return nil
		}
		if err := w.exchange(); err != nil {
			return err
		}
		w.took = append(w.took, time.Since(start))
	}
	return nil
}

// exchange asks, and verifies the answer.
func (w *worker) exchange() error {
	if err := w.send(); err != nil {
		return err
	}
	return w.receive()
}

func (w *worker) send() error {
	if err := w.dial(); err != nil {
		return err
	}
	if err := w.message.send(w.conn); err != nil {
		return fmt.Errorf("sending a request: %w", err)
	}
	return nil
}

func (w *worker) receive() error {
	w.answer.Reset()
	if err := w.dialect.read(w.in, &w.answer); err != nil {
		return fmt.Errorf("reading an answer: %w", ended(err))
	}
	if !w.keep {
		w.close()
	}
	return w.answer.Verify()
}

// ended makes of the end of a connection what it is in the midst of an answer.
func ended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (w *worker) dial() error {
	if w.conn != nil {
		return nil
	}
	c, err := dial(w.socket)
	if err != nil {
		return err
	}
	w.conn = c
	if w.in == nil {
		w.in = bufio.NewReaderSize(nil, 64*kib)
	}
	w.in.Reset(c)
	return nil
}

// dial connects to a server, and waits for a place in the queue of those that do.
func dial(socket string) (net.Conn, error) {
	until := time.Now().Add(roundTimeout)
	for {
		c, err := net.Dial("unix", socket)
		switch {
		case err == nil:
			return c, c.SetDeadline(until)
		case !errors.Is(err, syscall.EAGAIN) || time.Now().After(until):
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}

func (w *worker) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
