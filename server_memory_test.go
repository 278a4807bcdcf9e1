package fastcgi_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// answering are servers of each kind that answer with size bytes, in small writes, for as long as anybody takes them.
func answering(size int, done *atomic.Int64) map[string]func() *fastcgi.Server {
	piece := []byte(strings.Repeat("x", 1000))
	return map[string]func() *fastcgi.Server{
		"sync": func() *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
				defer done.Add(1)
				io.WriteString(w, "Status: 200\r\n\r\n")
				for n := 0; n < size; n += len(piece) {
					if _, err := w.Write(piece); err != nil {
						return
					}
				}
			})}
		},
		"async": func() *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				n := -1
				more := func() {
					for n < size {
						p := piece
						if n < 0 {
							p = []byte("Status: 200\r\n\r\n")
						}
						if _, err := ex.Write(p); errors.Is(err, fastcgi.ErrFull) {
							return
						} else if err != nil {
							break
						}
						if n < 0 {
							n = 0
						} else {
							n += len(piece)
						}
					}
					done.Add(1)
					ex.Finish(0)
				}
				ex.OnDrain(more)
				more()
			})}
		},
		"http": func() *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				defer done.Add(1)
				for n := 0; n < size; n += len(piece) {
					if _, err := w.Write(piece); err != nil {
						return
					}
				}
			}))}
		},
	}
}

// W15: output that is not taken counts for MemoryLimit. While some web servers take nothing, those that do are answered,
// and once the others begin to read they get all of it.
func TestW15OutputCountsForMemoryLimit(t *testing.T) {
	const conns, perConn, size, limit = 8, 20, 30_000, 1 << 20
	var done atomic.Int64
	for name, server := range answering(size, &done) {
		t.Run(name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				done.Store(0)
				srv := server()
				srv.MemoryLimit = limit
				a := p.serve(t, srv)
				var greedy []*web
				for range conns {
					w := a.dial(t)
					for id := range uint16(perConn) {
						w.send(start(id+1, true, httpGet()...), stdinEnd(id+1))
					}
					greedy = append(greedy, w)
				}
				eventually(t, "memory is used up", func() bool { return a.Stats().BufferedBytes > limit*3/4 })
				modest := a.dial(t)
				for range 3 {
					modest.send(start(1, true, httpGet()...), stdinEnd(1))
					if got := modest.answer(1); len(got.body()) < size && got.end.Status == 0 {
						t.Errorf("a web server that reads got %d bytes, %+v", len(got.body()), got.end)
					}
				}
				if n := a.Stats().BufferedBytes; n > limit+conns*8<<10 {
					t.Errorf("%d bytes are in memory", n)
				}
				for _, w := range greedy {
					for id := range uint16(perConn) {
						if got := w.answer(id + 1); len(got.body()) < size && got.end.Status == 0 {
							t.Errorf("request %d got %d bytes, %+v", id+1, len(got.body()), got.end)
						}
					}
				}
				eventually(t, "nothing is in memory", func() bool { return a.Stats().BufferedBytes == 0 })
			})
		})
	}
}

// W15: neither does what is short and many: a web server that asks and reads no answers is not read from any more.
func TestW15AnswersNobodyReads(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: hello})
		w := a.dial(t)
		sent := make(chan int, 1)
		go func() {
			n := 0
			for id := uint16(1); n < 1<<30; id = max(1, id+1) {
				k, err := w.Conn.Write(get(id, true))
				if n += k; err != nil {
					break
				}
			}
			sent <- n
		}()
		still, before := 0, int64(0)
		eventually(t, "it is not read from", func() bool {
			if n := a.Stats().BytesIn; n == before && n > 10_000 {
				still++
			} else {
				still, before = 0, n
			}
			return still == 100
		})
		if t.Failed() {
			t.Logf("%+v", a.Stats())
		}
		if n := a.Stats().BufferedBytes; n > 8<<20 {
			t.Errorf("%d bytes are in memory", n)
		}
		w.Close()
		receive(t, sent)
	})
}
