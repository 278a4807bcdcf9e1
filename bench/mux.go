//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// multiplexed measures many requests at once on one connection.
func multiplexed(b *bench, _ work, s *subject) (figures, error) {
	l := b.load(s, shape{keep: true, share: 1})
	return b.best(s, func(share int) (outcome, error) {
		m, err := newMux(l, s.streams)
		if err != nil {
			return outcome{}, err
		}
		defer m.close()
		return m.run(max(l.requests/share, s.streams), l.limit)
	})
}

// A mux is one connection with a request in each of its streams. Stream i has
// request id i+1.
type mux struct {
	conn    net.Conn
	in      *bufio.Reader
	streams []stream
	out     []byte      // requests to send at the next flush
	queue   chan []byte // -> writer
	failed  chan error  // writer -> next; has room for one
	done    chan struct{}
}

type stream struct {
	request []byte
	answer  harness.Answer
	sent    time.Time
	open    bool // there is a request to answer
}

func newMux(l *load, streams int) (*mux, error) {
	c, err := dial(l.socket)
	if err != nil {
		return nil, err
	}
	m := &mux{
		conn: c, in: bufio.NewReaderSize(c, 64*kib), streams: make([]stream, streams),
		// What waits in it is one request or more of different streams.
		queue: make(chan []byte, streams), failed: make(chan error, 1), done: make(chan struct{}),
	}
	go m.write()
	q := l.question
	for i := range m.streams {
		q.id = uint16(i + 1)
		m.streams[i] = stream{request: l.dialect.encode(q).head, answer: harness.Answer{Want: l.want}}
	}
	return m, nil
}

// run keeps all streams busy until so many requests were answered, or the time
// is up.
func (m *mux) run(requests int, limit time.Duration) (outcome, error) {
	o := outcome{took: make([]time.Duration, 0, requests)}
	start := time.Now()
	m.sendAll()
	begun, busy := len(m.streams), len(m.streams)
	for busy > 0 {
		st, err := m.next()
		if err != nil {
			return o, err
		}
		now := time.Now()
		o.took = append(o.took, now.Sub(st.sent))
		if begun < requests && now.Sub(start) < limit {
			begun++
			m.ask(st)
		} else {
			busy--
		}
		// What is read already is looked at before the next requests go
		// out, in one write.
		if m.in.Buffered() == 0 {
			m.flush()
		}
	}
	o.elapsed = time.Since(start)
	slices.Sort(o.took)
	return o, nil
}

func (m *mux) ask(st *stream) {
	st.answer.Reset()
	st.sent, st.open = time.Now(), true
	m.out = append(m.out, st.request...)
}

// flush hands what is to be sent to the writer, and so never waits.
func (m *mux) flush() {
	if len(m.out) > 0 {
		m.queue <- m.out
		m.out = nil
	}
}

// write is the writer. It is apart because the other end may not read while
// nobody reads what it writes.
func (m *mux) write() {
	defer close(m.done)
	for p := range m.queue {
		if _, err := m.conn.Write(p); err != nil {
			m.failed <- fmt.Errorf("sending a request: %w", err)
			m.conn.Close()
			break
		}
	}
	for range m.queue { // nobody takes what is left
	}
}

// sendAll sends a request in each stream.
func (m *mux) sendAll() {
	for i := range m.streams {
		m.ask(&m.streams[i])
	}
	m.flush()
}

// send is sendAll of an exchanger. What goes wrong shows in receive.
func (m *mux) send() error {
	m.sendAll()
	return nil
}

// receive reads an answer in each stream.
func (m *mux) receive() error {
	for range m.streams {
		if _, err := m.next(); err != nil {
			return err
		}
	}
	return nil
}

// next reads until an answer is complete, and verifies it.
func (m *mux) next() (*stream, error) {
	for {
		h, err := readHeader(m.in)
		if err != nil {
			return nil, m.broken(err)
		}
		if h.RequestID == 0 || int(h.RequestID) > len(m.streams) || !m.streams[h.RequestID-1].open {
			return nil, fmt.Errorf("wrong answer: a record of request %d, which is not open", h.RequestID)
		}
		st := &m.streams[h.RequestID-1]
		switch done, err := readContent(m.in, h, &st.answer); {
		case err != nil:
			return nil, m.broken(err)
		case done:
			st.open = false
			return st, st.answer.Verify()
		}
	}
}

// broken is why reading failed: that writing did, if so.
func (m *mux) broken(err error) error {
	select {
	case failed := <-m.failed:
		return failed
	default:
		return fmt.Errorf("reading an answer: %w", ended(err))
	}
}

// exchange has an exchange in each stream.
func (m *mux) exchange() error {
	m.sendAll()
	return m.receive()
}

func (m *mux) close() {
	close(m.queue)
	m.conn.Close()
	<-m.done
}
