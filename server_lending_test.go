package fastcgi_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// lendSize is how many bytes are sent from where they are.
const lendSize = 32 << 10

// What was written is the handler's again when Write returns, whatever it is used for then.
func TestWriteReturnsBuffer(t *testing.T) {
	for _, size := range []int{lendSize - 1, lendSize, lendSize + 1, 1 << 16, 1<<20 - 1, 1 << 20, 1<<20 + lendSize, 3 << 20} {
		everywhere(t, func(t *testing.T, p place) {
			w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
				io.WriteString(w, "head ")
				text := bytes.Repeat([]byte("x"), size)
				n, err := w.Write(text)
				if n != size || err != nil {
					t.Errorf("Write of %d returned %d, %v", size, n, err)
				}
				scribble(text)
				io.WriteString(w, " tail")
			})}).dial(t)
			w.send(get(1, true))
			w.answer(1).expect(t, "head "+strings.Repeat("x", size)+" tail")
		})
	}
}

func scribble(p []byte) {
	for i := range p {
		p[i] = '!'
	}
}

// So it is when Write ends early, and the web server has taken nothing yet.
func TestWriteReturnsBufferEarly(t *testing.T) {
	const size = 8 << 20 // more than sockets hold
	for name, test := range map[string]struct {
		end  func(a *app, w *web)
		want error
	}{
		"deadline":   {func(*app, *web) {}, os.ErrDeadlineExceeded},
		"abort":      {func(_ *app, w *web) { w.send(abort(1)) }, fastcgi.ErrAborted},
		"disconnect": {func(_ *app, w *web) { w.Close() }, fastcgi.ErrDisconnected},
		"close":      {func(a *app, _ *web) { a.Close() }, fastcgi.ErrServerClosed},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				written := make(chan int, 1)
				started := make(chan struct{})
				a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
					io.WriteString(w, "head ")
					w.Flush()
					text := bytes.Repeat([]byte("x"), size)
					if name == "deadline" {
						r.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
					}
					close(started)
					n, err := w.Write(text)
					scribble(text)
					if !errors.Is(err, test.want) || n >= size {
						t.Errorf("Write of %d returned %d, %v", size, n, err)
					}
					written <- n
				})})
				w := a.dial(t)
				w.send(get(1, true))
				w.untilStdout(1, "head ")
				receive(t, started)
				test.end(a, w)
				n := receive(t, written)
				if name == "disconnect" {
					return
				}
				got := readRest(w)
				if bytes.ContainsRune(got, '!') {
					t.Errorf("%s: of %d bytes sent, some were not what was written", name, len(got))
				}
				if sent := bytes.Count(got, []byte("x")); name == "deadline" && sent != n {
					t.Errorf("%d bytes were sent of what Write said were %d", sent, n)
				}
			})
		})
	}
}

// So it is for a filter, whose output waits for the end of STDIN (§6.4): what Write did not take is not sent then, either.
func TestWriteReturnsBufferOfFilter(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		written := make(chan int, 1)
		w := p.serve(t, &fastcgi.Server{Filter: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			io.WriteString(w, "head ")
			r.SetWriteDeadline(time.Now().Add(time.Millisecond))
			text := bytes.Repeat([]byte("x"), 3<<16)
			n, err := w.Write(text)
			scribble(text)
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Write returned %d, %v", n, err)
			}
			written <- n
		})}).dial(t)
		w.send(begin(1, fastcgi.RoleFilter, true), paramsEnd(1))
		n := receive(t, written)
		w.send(stdinEnd(1), dataEnd(1))
		w.answer(1).expect(t, "head "+strings.Repeat("x", n))
	})
}

// A Write all of which is on its way when its deadline comes has not failed.
func TestWriteInTime(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		const size = lendSize + 1
		written := make(chan struct{})
		w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			defer close(written)
			r.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			if n, err := w.Write(bytes.Repeat([]byte("x"), size)); n != size || err != nil {
				t.Errorf("Write of %d returned %d, %v", size, n, err)
			}
			r.SetWriteDeadline(time.Now())
			if n, err := w.Write([]byte("late")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("after the deadline Write returned %d, %v", n, err)
			}
		})}).dial(t)
		w.send(get(1, true))
		receive(t, written) // nothing was read yet
		w.answer(1).expect(t, strings.Repeat("x", size))
	})
}

// readRest reads to the end of request 1, or of the connection, and returns that behind what was read of it before.
func readRest(w *web) []byte {
	w.SetReadDeadline(time.Now().Add(patience))
	rest := append([]byte(w.open[1].stdout.String()), w.unread...)
	buf := make([]byte, 1<<16)
	for {
		n, err := w.Read(buf)
		rest = append(rest, buf[:n]...)
		if ended := len(rest) >= len(endRequest) && bytes.HasPrefix(rest[len(rest)-len(endRequest):], endRequest[:protocol.HeaderLen]); ended || err != nil {
			return rest
		}
	}
}

// endRequest is an END_REQUEST.
var endRequest = protocol.AppendEndRequest(nil, 1, protocol.EndRequest{})

// An Exchange sends a long string without waiting for anything.
func TestExchangeWriteString(t *testing.T) {
	for _, size := range []int{0, 1, lendSize - 1, lendSize, 1 << 20} {
		everywhere(t, func(t *testing.T, p place) {
			text := strings.Repeat("x", size)
			w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				io.WriteString(ex, "head ")
				if n, err := io.WriteString(ex, text); n != size || err != nil {
					t.Errorf("WriteString of %d returned %d, %v", size, n, err)
				}
				if _, err := ex.WriteString("more"); (err != nil) != (size >= 1<<16) || err != nil && !errors.Is(err, fastcgi.ErrFull) {
					t.Errorf("after %d bytes WriteString returned %v", size, err)
				}
				ex.Finish(0)
			})}).dial(t)
			w.send(get(1, true))
			got := strings.TrimSuffix(w.answer(1).stdout.String(), "more")
			if got != "head "+text {
				t.Errorf("got %d bytes, want %d", len(got), len("head ")+size)
			}
		})
	}
}

// SendResponse does with a long string as with a short one.
func TestSendResponseLongString(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", lendSize/16)
	send := func(w fastcgi.ResponseWriter) {
		if err := fastcgi.SendResponse(w, 200, "text/plain", text); err != nil {
			t.Error(err)
		}
	}
	for name, srv := range map[string]func() *fastcgi.Server{
		"sync": func() *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { send(w) })}
		},
		"async": func() *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				send(ex)
				ex.Finish(0)
			})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				w := p.serve(t, srv()).dial(t)
				w.send(get(1, true))
				w.answer(1).expect(t, "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+text)
			})
		})
	}
}

// A writer that embeds an Exchange and has a Write of its own gets all of a response there, however long.
func TestSendResponseToEmbedding(t *testing.T) {
	for _, size := range []int{lendSize - 1, lendSize} {
		everywhere(t, func(t *testing.T, p place) {
			text := strings.Repeat("x", size)
			w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				if err := fastcgi.SendResponse(shouting{ex}, 200, "", text); err != nil {
					t.Error(err)
				}
				ex.Finish(0)
			})}).dial(t)
			w.send(get(1, true))
			w.answer(1).expect(t, "STATUS: 200 OK\r\n\r\n"+strings.ToUpper(text))
		})
	}
}

// shouting is an Exchange that changes what is written to it.
type shouting struct{ fastcgi.Exchange }

func (s shouting) Write(p []byte) (int, error) { return s.Exchange.Write(bytes.ToUpper(p)) }
