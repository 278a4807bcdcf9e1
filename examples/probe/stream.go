package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// line is what a stream is made of.
func line(i int64) []byte { return fmt.Appendf(nil, "chunk %d\n", i) }

// streamSync sends lines one by one, each on its way before the next.
func streamSync(w fastcgi.ResponseWriter, r *fastcgi.Request, o order) error {
	if err := fastcgi.SendResponse(w, 200, "text/plain", nil); err != nil {
		return err
	}
	return stream(r.Context(), o, func(line []byte) error {
		if _, err := w.Write(line); err != nil {
			return err
		}
		return w.Flush()
	})
}

// stream gives send the lines, in time, until the request is aborted.
func stream(ctx context.Context, o order, send func(line []byte) error) error {
	for i := range o.n {
		if i > 0 {
			if err := pause(ctx, o.wait); err != nil {
				return err
			}
		}
		if err := send(line(i)); err != nil {
			return err
		}
	}
	return nil
}

// pause waits, and returns why the request was aborted if it was meanwhile.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// streamHTTP is streamSync for net/http.
func streamHTTP(w http.ResponseWriter, r *http.Request, o order) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out := http.NewResponseController(w)
	return stream(r.Context(), o, func(line []byte) error {
		if _, err := w.Write(line); err != nil {
			return err
		}
		return out.Flush()
	})
}

// An asyncStream sends the next line whenever its timer says so or, when the web
// server was slow, as soon as there is room.
type asyncStream struct {
	*call
	next    int64
	leaving bool        // only the goodbye is left to say
	stop    func() bool // the timer
}

func streamAsync(c *call) { newAsyncStream(c).begin() }

func newAsyncStream(c *call) *asyncStream {
	s := &asyncStream{call: c, stop: func() bool { return true }}
	c.onAbort = s.abort
	c.ex.OnDrain(s.send)
	return s
}

func (s *asyncStream) begin() {
	if fastcgi.SendResponse(s.ex, 200, "text/plain", nil) == nil {
		s.send()
	}
}

func (s *asyncStream) send() {
	if s.leaving {
		if _, err := s.ex.WriteString(goodbye); err == nil {
			s.finish()
		}
		return
	}
	if s.next < s.order.n {
		if _, err := s.ex.Write(line(s.next)); err != nil {
			return // ErrFull: OnDrain goes on; else onAbort ends it
		}
		_ = s.ex.Flush()
		s.next++
	}
	if s.next == s.order.n {
		s.finish()
		return
	}
	s.stop = s.ex.Loop().AfterFunc(s.order.wait, s.send)
}

func (s *asyncStream) abort() {
	s.stop()
	s.cut()
}
