package fastcgi_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// spillDelay is how long a connection that others might share stays paused before its input goes to disk.
const spillDelay = 100 * time.Millisecond

// noise is text that no two pieces of which look the same.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return string(b)
}

// digest reads a body to its end in pieces of all sizes.
func digest(t *testing.T, r io.Reader) string {
	t.Helper()
	sum := sha256.New()
	for size := 1; ; size = size*3%100000 + 1 {
		n, err := io.CopyN(sum, r, int64(size))
		if n < int64(size) {
			if err != io.EOF {
				t.Errorf("reading the body: %v", err)
			}
			return fmt.Sprintf("%x", sum.Sum(nil))
		}
	}
}

// F7: a request that is begun behind a large body that nobody reads is answered, and the body is all there when it is
// read at last.
func TestF7HeadOfLine(t *testing.T) {
	body := noise(8 << 20)
	for _, test := range []struct {
		name string
		sent func() []byte
	}{
		{"behind the body", func() []byte {
			return slices.Concat(start(1, true), stdin(1, body), stdinEnd(1), post(2, true, "small"))
		}},
		{"behind the start", func() []byte {
			return slices.Concat(start(1, true), start(2, true), stdin(1, body), stdin(2, "small"), stdinEnd(2), stdinEnd(1))
		}},
		{"in between", func() []byte {
			return slices.Concat(start(1, true), stdin(1, body[:1<<20]), post(2, true, "small"), stdin(1, body[1<<20:]), stdinEnd(1))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 2)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests), SpoolDir: t.TempDir()})
				w := a.dial(t)
				sent := test.sent()
				w.expects(sent)
				go w.Write(sent)
				var first *held
				for range 2 {
					if h := receive(t, requests); h.r.ID == 1 {
						first = h
					} else {
						io.Copy(h.w, h.r)
						h.finish()
					}
				}
				w.answer(2).expect(t, "small")
				if got, want := digest(t, first.r), fmt.Sprintf("%x", sha256.Sum256([]byte(body))); got != want {
					t.Error("the body has changed")
				}
				first.finish()
				w.answer(1).expectUnanswered(t)
				if n := a.Stats().SpooledBytes; n != 0 {
					t.Errorf("%d bytes are still on disk", n)
				}
			})
		})
	}
}

// F7: where no other request can come, a body that is not read stays with the web server, for as long as it takes.
func TestF7LoneRequestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		a := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)})
		w := a.dial(t)
		body := noise(8 << 20)
		request := post(1, false, body)
		w.expects(request)
		go w.Write(request)
		h := <-requests
		for range 3 {
			sleep(time.Hour)
			if s := a.Stats(); s.BytesIn > 128<<10 || s.BufferedBytes > 128<<10 || s.SpooledBytes > 0 {
				t.Errorf("%d bytes were read, %d are in memory, %d on disk", s.BytesIn, s.BufferedBytes, s.SpooledBytes)
			}
		}
		if got, want := digest(t, h.r), fmt.Sprintf("%x", sha256.Sum256([]byte(body))); got != want {
			t.Error("the body has changed")
		}
		if n := a.Stats().SpooledBytes; n != 0 {
			t.Errorf("%d bytes were spooled", n)
		}
		h.finish()
		w.answer(1).expectUnanswered(t)
	})
}

// A29, F7: a large body that was never read does not keep its answer from the web server, nor the next request.
func TestA29AnswerToUnreadBody(t *testing.T) {
	for _, keep := range []bool{false, true} {
		onSockets(t, func(t *testing.T, p place) {
			requests := make(chan *held, 1)
			a := p.serve(t, &fastcgi.Server{Handler: holding(requests), SpoolDir: t.TempDir()})
			w := a.dial(t)
			request := post(1, keep, noise(8<<20))
			w.expects(request)
			sent := make(chan error, 1)
			go func() {
				_, err := w.Write(request)
				sent <- err
			}()
			h := receive(t, requests)
			eventually(t, "more has arrived than is kept in memory", func() bool { return a.Stats().BytesIn > fastcgi.DefaultStdinBuffer })
			io.WriteString(h.w, "unread")
			h.finish()
			if err := receive(t, sent); err != nil {
				t.Errorf("sending the rest: %v", err)
			}
			w.answer(1).expect(t, "unread")
			if !keep {
				w.expectEOF()
				return
			}
			w.send(get(2, true))
			receive(t, requests).finish()
			w.answer(2).expectUnanswered(t)
		})
	}
}

// F7: where others may come, it stays there for 100 ms, and anew each time when the handler has read some.
func TestF7LoneRequestSpillDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		a := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests), SpoolDir: t.TempDir()})
		w := a.dial(t)
		const size = 1 << 20
		request := post(1, true, strings.Repeat("x", size))
		w.expects(request)
		go w.Write(request)
		h := <-requests
		for range 3 {
			if s := a.Stats(); s.SpooledBytes > 0 {
				t.Errorf("%d bytes are on disk", s.SpooledBytes)
			}
			sleep(spillDelay - 1)
			if s := a.Stats(); s.SpooledBytes > 0 {
				t.Errorf("%d bytes are on disk early", s.SpooledBytes)
			}
			io.CopyN(io.Discard, h.r, fastcgi.DefaultStdinBuffer/2+20000)
			synctest.Wait()
		}
		sleep(spillDelay)
		if s := a.Stats(); s.SpooledBytes < size/2 || s.BytesIn < size {
			t.Errorf("%d bytes are on disk, of %d that were read", s.SpooledBytes, s.BytesIn)
		}
		if n, err := io.Copy(io.Discard, h.r); n < size/2 || err != nil {
			t.Errorf("read the other %d bytes, %v", n, err)
		}
		h.finish()
		w.answer(1)
	})
}

// F7: a lone request for whose input there is no place on disk waits as well, and goes on where it was.
func TestF7LoneRequestWithoutSpool(t *testing.T) {
	for _, limit := range []int64{-1, 1, 100000} {
		t.Run(strconv.FormatInt(limit, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := make(chan *held, 1)
				a := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests), SpoolLimit: limit, SpoolDir: t.TempDir()})
				w := a.dial(t)
				body := noise(1 << 20)
				request := post(1, true, body)
				w.expects(request)
				go w.Write(request)
				h := <-requests
				sleep(time.Hour)
				if s := a.Stats(); s.BytesIn > 256<<10 || s.SpooledBytes > max(limit, 0) {
					t.Errorf("%d bytes were read, %d are on disk", s.BytesIn, s.SpooledBytes)
				}
				if got, want := digest(t, h.r), fmt.Sprintf("%x", sha256.Sum256([]byte(body))); got != want {
					t.Error("the body has changed")
				}
				h.finish()
				w.answer(1).expectUnanswered(t)
			})
		})
	}
}

// StdinBuffer: a lone request's connection is read until so much waits, and again when half of it was taken.
func TestStdinBufferAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const buffer = 1000
		requests := make(chan *held, 1)
		w := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests), StdinBuffer: buffer}).dial(t)
		w.send(start(1, false))
		h := <-requests
		w.send(stdin(1, strings.Repeat("x", buffer-1)))
		w.send(stdin(1, "x")) // which fills it
		more := make(chan struct{})
		go func() {
			defer close(more)
			w.Write(stdin(1, "more"))
		}()
		synctest.Wait()
		reading := func() bool {
			select {
			case <-more:
				return true
			default:
				return false
			}
		}
		if reading() {
			t.Error("the connection was read with a full buffer")
		}
		io.ReadFull(h.r, make([]byte, buffer/2-1))
		synctest.Wait()
		if reading() {
			t.Error("the connection was read with half of the buffer full")
		}
		io.ReadFull(h.r, make([]byte, 1))
		synctest.Wait()
		if !reading() {
			t.Error("the connection was not read though half of the buffer is free")
		}
		h.finish()
		w.answer(1)
	})
}

// StdinBuffer: of requests that share a connection so much is in memory, for each, and the rest on disk.
func TestStdinBufferShared(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		const buffer = 1000
		requests := make(chan *held, 2)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests), StdinBuffer: buffer, SpoolDir: t.TempDir()})
		w := a.dial(t)
		w.send(start(1, true), start(2, true))
		running := []*held{receive(t, requests), receive(t, requests)}
		for i, step := range []struct{ bytes, memory, disk int64 }{
			{buffer - 1, buffer - 1, 0}, {1, buffer, 0}, {1, buffer, 1}, {5000, buffer, 5001},
		} {
			for id := range uint16(2) {
				w.send(stdin(id+1, strings.Repeat(strconv.Itoa(i), int(step.bytes))))
			}
			w.manage(question())
			eventually(t, fmt.Sprintf("of step %d all but the buffers is on disk", i), func() bool {
				s := a.Stats()
				return s.BufferedBytes == 2*step.memory && s.SpooledBytes == 2*step.disk
			})
		}
		w.send(stdinEnd(1), stdinEnd(2))
		want := strings.Repeat("0", buffer-1) + "12" + strings.Repeat("3", 5000)
		for _, h := range running {
			if body, err := io.ReadAll(h.r); string(body) != want || err != nil {
				t.Errorf("request %d read %q, %v", h.r.ID, clip(string(body)), err)
			}
			h.finish()
			w.answer(h.r.ID)
		}
	})
}
