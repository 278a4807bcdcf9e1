package fastcgi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// sloths are servers of each kind that answer "hello", but leave requests with a parameter IDLE and their bodies alone
// until the test ends.
var sloths = []struct {
	name string
	make func(end <-chan struct{}) *fastcgi.Server
}{
	{"sync", func(end <-chan struct{}) *fastcgi.Server {
		return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			if r.Params.Get("IDLE") != "" {
				<-end
			}
			io.WriteString(w, "\r\n\r\nhello")
		})}
	}},
	{"async", func(<-chan struct{}) *fastcgi.Server {
		return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			if ex.Params().Get("IDLE") != "" {
				ex.OnAbort(func(error) { ex.Finish(0) })
				return
			}
			io.WriteString(ex, "\r\n\r\nhello")
			ex.Finish(0)
		})}
	}},
	{"http", func(end <-chan struct{}) *fastcgi.Server {
		return &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if fastcgi.FromContext(r.Context()).Params.Get("IDLE") != "" {
				<-end
			}
			io.WriteString(w, "hello")
		}))}
	}},
}

// F7: a body of 8 MB that nobody reads delays none of the requests that come before, within and behind it, whatever kind
// the handler is.
func TestF7UnreadBodyDelaysNobody(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		for _, s := range sloths {
			t.Run(s.name, func(t *testing.T) {
				end := make(chan struct{})
				defer close(end)
				srv := s.make(end)
				srv.SpoolDir = t.TempDir()
				a := p.serve(t, srv)
				w := a.dial(t)
				ask := func(id uint16) {
					t.Helper()
					if got := w.ask(id, httpGet()...).body(); got != "hello" {
						t.Errorf("request %d was answered %q", id, got)
					}
				}
				w.send(start(1, true, httpGet("IDLE", "1", "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "8388608")...))
				piece := stdin(1, strings.Repeat("x", 1<<20))
				for id := range uint16(8) {
					ask(2 + id)
					w.send(piece)
				}
				ask(2)
				w.send(stdinEnd(1))
				ask(3)
				if s := a.Stats(); s.BufferedBytes > fastcgi.DefaultStdinBuffer+(128<<10) || s.Overflowed > 0 {
					t.Errorf("the counters are %+v", s)
				}
				w.send(abort(1))
				ask(4)
			})
		}
	})
}

// F7: a socket holds back the body of a lone request, on every network: memory stays flat, and nothing goes to disk.
func TestF7LoneRequestOnSockets(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests), SpoolDir: "/nowhere"})
		w := a.dial(t)
		const size = 8 << 20
		request := post(1, false, strings.Repeat("x", size))
		w.expects(request)
		go w.Write(request)
		h := receive(t, requests)
		eventually(t, "the buffer is full", func() bool { return a.Stats().BufferedBytes >= fastcgi.DefaultStdinBuffer })
		piece := make([]byte, 10000)
		for left := size; left > 0; {
			n, err := h.r.Read(piece)
			if err != nil {
				t.Fatal(err)
			}
			left -= n
			// The buffer, with one read that filled it and one that was under way.
			if s := a.Stats(); s.BufferedBytes > fastcgi.DefaultStdinBuffer+(128<<10)+1000 || s.SpooledBytes > 0 {
				t.Fatalf("%d bytes are in memory, %d on disk", s.BufferedBytes, s.SpooledBytes)
			}
		}
		h.finish()
		w.answer(1).expectUnanswered(t)
	})
}

// F6: two answers to a web server that did not read for a while come in turns of 64 KiB, on every network.
func TestF6TurnsOnSockets(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		exchanges := make(chan fastcgi.Exchange, 2)
		w := p.serve(t, async(exchanges)).dial(t)
		const size = 8 << 20 // more than sockets hold
		for id := range uint16(2) {
			w.send(get(id+1, true))
			ex := receive(t, exchanges)
			if _, err := ex.Write(make([]byte, size)); err != nil {
				t.Error(err)
			}
			ex.Finish(0)
		}
		turns := readTurns(t, w)
		if len(turns) < 50 {
			t.Fatalf("there were no more than %d turns", len(turns))
		}
		// The first had the socket for itself until the second came, and the second when the first was done.
		for _, turn := range turns[1 : len(turns)-1] {
			if turn.bytes > outputLimit {
				t.Errorf("a turn of request %d has %d bytes", turn.id, turn.bytes)
			}
		}
	})
}

// A turn is the bytes of records that follow each other and belong to one request.
type turn struct {
	id    uint16
	bytes int
}

// readTurns reads until two requests have ended.
func readTurns(t *testing.T, w *web) (turns []turn) {
	t.Helper()
	for ends := 0; ends < 2; {
		header := make([]byte, protocol.HeaderLen)
		if _, err := io.ReadFull(w, header); err != nil {
			t.Fatal(err)
		}
		h := protocol.ParseHeader(header)
		n, err := io.CopyN(io.Discard, w, int64(h.ContentLength)+int64(h.PaddingLength))
		if err != nil {
			t.Fatal(err)
		}
		if len(turns) == 0 || turns[len(turns)-1].id != h.RequestID {
			turns = append(turns, turn{id: h.RequestID})
		}
		turns[len(turns)-1].bytes += protocol.HeaderLen + int(n)
		if h.Type == protocol.TypeEndRequest {
			ends++
		}
	}
	return turns
}
