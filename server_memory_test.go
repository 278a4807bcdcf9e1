package fastcgi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
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

// ownMemory is what docs/limits.md says that requests beside another on a connection count for MemoryLimit, by the kind
// of their handler.
var ownMemory = map[string]int64{"async": 1 << 10, "sync": 5 << 10, "http": 20 << 10}

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
				srv.MemoryLimit = limit + conns*(perConn-1)*ownMemory[name]
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
				if n := a.Stats().BufferedBytes; n > srv.MemoryLimit+conns*8<<10 {
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

// W15: what a request takes by being there counts as well, from the second on a connection on: of a goroutine, and of
// what net/http needs, more than of an exchange. Beyond the limit requests are refused, until others have ended.
func TestW15RequestsCountForMemoryLimit(t *testing.T) {
	const taken = 3 // beside the first
	variables := httpGet()
	params := int64(len(block(variables...)))
	for name, server := range map[string]func(release chan struct{}) *fastcgi.Server{
		"async": func(release chan struct{}) *fastcgi.Server {
			return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				go func() {
					<-release
					ex.Finish(1)
				}()
			})}
		},
		"sync": func(release chan struct{}) *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
				<-release
				w.SetAppStatus(1)
			})}
		},
		"http": func(release chan struct{}) *fastcgi.Server {
			return &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))}
		},
	} {
		for off, refused := range map[int64]uint16{-1: 2, 0: 1, 1: 1} {
			t.Run(fmt.Sprintf("%s/%+d", name, off), func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					release := make(chan struct{})
					over := sync.OnceFunc(func() { close(release) })
					defer over()
					srv := server(release)
					srv.MemoryLimit = taken*ownMemory[name] + (taken+1)*params + off
					a := p.serve(t, srv)
					w := a.dial(t)
					for id := range uint16(taken + 2) {
						w.send(start(id+1, true, variables...), stdinEnd(id+1))
					}
					for i := range refused {
						w.answer(taken+3-refused+i).expectRefused(t, protocol.StatusOverloaded)
					}
					over()
					for id := range taken + 2 - refused {
						if got := w.answer(id + 1); got.end.Status != protocol.StatusRequestComplete {
							t.Errorf("request %d ended with %+v", id+1, got.end)
						}
					}
					for id := range uint16(taken + 1) {
						w.send(start(id+1, true, variables...), stdinEnd(id+1))
						w.answer(id + 1)
					}
					if n := a.Stats().Overloaded; n != int64(refused) {
						t.Errorf("%d requests were refused", n)
					}
				})
			})
		}
	}
}
