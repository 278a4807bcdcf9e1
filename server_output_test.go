package fastcgi_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// outputLimit is how many bytes of a request's output may wait, framed.
const outputLimit = 64 << 10

// async is a server whose requests the test answers as exchanges.
func async(exchanges chan<- fastcgi.Exchange) *fastcgi.Server {
	return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { exchanges <- ex })}
}

// stuck begins a request whose output nobody takes: what is written after waits.
func stuck(t *testing.T) (*web, fastcgi.Exchange) {
	exchanges := make(chan fastcgi.Exchange, 1)
	w := inBubble.serve(t, async(exchanges)).dial(t)
	w.send(get(1, true))
	ex := <-exchanges
	stick(ex)
	return w, ex
}

// stick has the connection wait for the web server to take a little output.
func stick(ex fastcgi.Exchange) {
	io.WriteString(ex, "stuck ")
	ex.Flush()
	synctest.Wait()
}

// Write takes what it is given, whole, until 64 KiB wait, and then nothing.
func TestErrFull(t *testing.T) {
	const header = 8 // of the record in which it waits
	for _, test := range []struct {
		name    string
		waiting int // bytes, framed
		want    error
	}{
		{"one below", outputLimit - 1, nil},
		{"at the limit", outputLimit, fastcgi.ErrFull},
		{"one above", outputLimit + 1 + header, fastcgi.ErrFull}, // in a second record
		{"far above", 10 * outputLimit, fastcgi.ErrFull},
	} {
		for _, stream := range []string{"STDOUT", "STDERR"} {
			t.Run(test.name+"/"+stream, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, ex := stuck(t)
					text := strings.Repeat("x", test.waiting-header*((test.waiting+outputLimit-1)/outputLimit))
					if n, err := io.WriteString(ex, text); n != len(text) || err != nil {
						t.Errorf("Write returned %d, %v", n, err)
					}
					to := io.Writer(ex)
					if stream == "STDERR" {
						to = ex.Stderr()
					}
					n, err := io.WriteString(to, "more")
					if !errors.Is(err, test.want) || err != nil && n != 0 || err == nil && n != 4 {
						t.Errorf("Write returned %d, %v", n, err)
					}
					ex.Finish(0)
					got := w.answer(1)
					if all := got.stdout.String() + got.stderr.String(); strings.HasSuffix(all, "more") != (test.want == nil) || len(all) != len("stuck ")+len(text)+n {
						t.Errorf("%d bytes were sent", len(all))
					}
				})
			})
		}
	}
}

// OnDrain is called when half of the buffer is free again after a Write was refused, once for each time, and not
// otherwise.
func TestOnDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ex := stuck(t)
		drained := make(chan struct{}, 10)
		ex.OnDrain(func() { drained <- struct{}{} })
		for range 3 {
			stick(ex)
			io.WriteString(ex, strings.Repeat("x", outputLimit))
			if _, err := ex.Write([]byte("more")); !errors.Is(err, fastcgi.ErrFull) {
				t.Fatalf("Write returned %v", err)
			}
			synctest.Wait()
			if len(drained) > 0 {
				t.Error("OnDrain was called while nothing was taken")
			}
			readAll(t, w)
			if len(drained) != 1 {
				t.Fatalf("OnDrain was called %d times", len(drained))
			}
			<-drained
		}
		stick(ex)
		io.WriteString(ex, strings.Repeat("x", outputLimit)) // fills it, but nothing is refused
		readAll(t, w)
		if len(drained) > 0 {
			t.Error("OnDrain was called though no Write was refused")
		}
		ex.Finish(0)
		w.answer(1)
	})
}

// readAll reads until the server has nothing left to send.
func readAll(t *testing.T, w *web) {
	t.Helper()
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for w.read() == nil {
		}
	}()
	synctest.Wait()
	w.SetReadDeadline(time.Now().Add(-1))
	<-stop
	w.SetReadDeadline(time.Time{})
}

// OnDrain that is registered when there is room again is called for what it missed.
func TestOnDrainLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ex := stuck(t)
		io.WriteString(ex, strings.Repeat("x", outputLimit))
		if _, err := ex.Write([]byte("more")); !errors.Is(err, fastcgi.ErrFull) {
			t.Fatalf("Write returned %v", err)
		}
		readAll(t, w)
		ex.OnDrain(func() {
			io.WriteString(ex, "the end")
			ex.Finish(0)
		})
		if got := w.answer(1).stdout.String(); !strings.HasSuffix(got, "the end") {
			t.Errorf("the answer ends with %q", got[len(got)-10:])
		}
	})
}

// F5: a Handler that writes without end to a web server that reads nothing is stopped with its buffer full.
func TestF5WriteWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var taken atomic.Int64
		requests := make(chan *held, 1)
		a := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)})
		w := a.dial(t)
		w.send(get(1, true))
		h := <-requests
		ended := make(chan error, 1)
		go func() {
			for {
				n, err := h.w.Write(make([]byte, 1000))
				taken.Add(int64(n))
				if err != nil {
					ended <- err
					return
				}
			}
		}()
		synctest.Wait()
		// What waits, and what is being written.
		if n := taken.Load(); n > 2*outputLimit {
			t.Errorf("%d bytes were taken", n)
		}
		w.send(abort(1))
		if err := <-ended; !errors.Is(err, fastcgi.ErrAborted) {
			t.Errorf("Write returned %v", err)
		}
		h.finish()
		w.answer(1)
	})
}

// F5: a large answer goes through a Handler's Write whole.
func TestF5LargeWrite(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		const size = 64 << 20
		w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			piece := make([]byte, 1<<20)
			for range size / len(piece) {
				if n, err := w.Write(piece); n != len(piece) || err != nil {
					t.Errorf("Write returned %d, %v", n, err)
					return
				}
			}
		})}).dial(t)
		if got := w.ask(1).stdout.Len(); got != size {
			t.Errorf("%d bytes arrived", got)
		}
	})
}

// F6: requests on a connection take turns of at most 64 KiB, so a large answer does not keep a small one waiting.
func TestF6FairTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchanges := make(chan fastcgi.Exchange, 5)
		w := inBubble.serve(t, async(exchanges)).dial(t)
		const size = 1 << 20
		for id := range uint16(4) {
			w.send(get(id+1, true))
			ex := <-exchanges
			ex.Write(make([]byte, size))
			ex.Finish(0)
		}
		w.send(get(5, true))
		ex := <-exchanges
		io.WriteString(ex, "small")
		ex.Finish(0)
		w.answer(5).expect(t, "small")
		for id := range uint16(4) {
			if n := w.open[id+1].stdout.Len(); n > 4*outputLimit {
				t.Errorf("%d bytes of request %d came before the small answer", n, id+1)
			}
		}
		w.answer(1)
		for id := range uint16(3) {
			n := size
			if a := w.open[id+2]; a != nil {
				n = a.stdout.Len()
			}
			if n < size-2*outputLimit {
				t.Errorf("request %d had %d bytes sent when the first was complete", id+2, n)
			}
		}
		for id := range uint16(3) {
			w.answer(id + 2)
		}
		if !slices.Equal(w.order, []uint16{5, 1, 2, 3, 4}) {
			t.Errorf("the requests ended in the order %v", w.order)
		}
	})
}

// A stream goes on though a Write was refused meanwhile, and OnDrain is called at its end.
func TestStreamAndWrite(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			err := fastcgi.SendResponse(ex, 200, "", func(yield func(string) bool) {
				for range 100 {
					if _, err := io.WriteString(ex, "in between"); !errors.Is(err, fastcgi.ErrFull) {
						t.Errorf("Write returned %v", err)
					}
					if !yield("piece ") {
						return
					}
				}
			})
			if err != nil {
				t.Error(err)
			}
			if err := fastcgi.SendResponse(ex, 200, "", strings.NewReader("another")); !errors.Is(err, fastcgi.ErrResponded) {
				t.Errorf("a second stream was answered %v", err)
			}
			ex.OnDrain(func() {
				io.WriteString(ex, "the end")
				ex.Finish(0)
			})
		})}).dial(t)
		w.ask(1).expect(t, "Status: 200 OK\r\n\r\n"+strings.Repeat("piece ", 100)+"the end")
	})
}

// Finish waits for a stream, and is itself the end: nothing is taken after it, and it is called once.
func TestFinish(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		exchanges := make(chan fastcgi.Exchange, 1)
		w := p.serve(t, async(exchanges)).dial(t)
		for _, data := range []any{"whole", strings.NewReader("whole")} {
			w.send(get(1, true))
			ex := receive(t, exchanges)
			if err := fastcgi.SendResponse(ex, 200, "", data); err != nil {
				t.Error(err)
			}
			if err := ex.Finish(3); err != nil {
				t.Error(err)
			}
			for what, err := range map[string]error{
				"Finish": ex.Finish(0), "Write": second(ex.Write(nil)), "Stderr": second(ex.Stderr().Write(nil)),
				"SendResponse": fastcgi.SendResponse(ex, 200, "", "late"),
			} {
				if !errors.Is(err, fastcgi.ErrFinished) {
					t.Errorf("%s returned %v", what, err)
				}
			}
			if got := w.answer(1); got.body() != "whole" || got.end.AppStatus != 3 {
				t.Errorf("the answer is %q, %+v", got.body(), got.end)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
