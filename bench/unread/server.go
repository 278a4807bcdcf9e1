//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// pieceSize is how much a handler writes at once. Large writes are not copied, and
// would take no memory but the handler's.
const pieceSize = 1000

const head = "Content-Type: application/octet-stream\r\n\r\n"

// A server answers with a body; to those who ask for it, with what it knows of itself.
type server struct {
	fastcgi.Server
	body  []byte
	begun atomic.Int64 // requests
}

// serve is the server's process.
func serve(ctx context.Context, s settings) error {
	driver, kind, _ := strings.Cut(s.serve, "/")
	srv := &server{body: make([]byte, s.size)}
	srv.Addr, srv.Driver = "unix:"+s.socket, fastcgi.Driver(driver)
	srv.ErrorLog = slog.New(slog.DiscardHandler) // each connection is complained of
	srv.MemoryLimit = int64(s.limit) << 20
	srv.MaxConns = s.conns + readers + 100 // those that read are some more
	// They are to hold out until all is asked and measured, however slow the machine is.
	srv.FirstByteTimeout, srv.WriteTimeout, srv.ParamsTimeout = time.Hour, time.Hour, time.Hour
	switch kind {
	case "async":
		srv.AsyncHandler = fastcgi.AsyncHandlerFunc(srv.async)
	case "sync":
		srv.Handler = fastcgi.HandlerFunc(srv.sync)
	case "http":
		srv.Handler = fastcgi.HTTP(http.HandlerFunc(srv.http))
	default:
		return fmt.Errorf("-serve %q names no kind of handlers: write loop/async, loop/sync, goroutine/http or the like", s.serve)
	}
	return srv.Run(ctx)
}

// about is what the server knows of itself.
type about struct {
	Begun  int64
	Stats  fastcgi.Stats
	Heap   uint64 // in use, in bytes
	Stacks uint64
}

// bodyOf returns the answer to a query: what is asked about the server itself, and
// size bytes to all others.
func (s *server) bodyOf(query string) []byte {
	var b bytes.Buffer
	switch query {
	case "about":
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		_ = json.NewEncoder(&b).Encode(about{s.begun.Load(), s.Stats(), m.HeapInuse, m.StackInuse}) // numbers
	case "heap":
		runtime.GC()
		_ = pprof.Lookup("heap").WriteTo(&b, 0) // to memory
	default:
		s.begun.Add(1)
		return s.body
	}
	return b.Bytes()
}

func (s *server) sync(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	body := s.bodyOf(r.Params.Get("QUERY_STRING"))
	_, _ = io.WriteString(w, head)
	answer(w, body)
}

func (s *server) http(w http.ResponseWriter, r *http.Request) { answer(w, s.bodyOf(r.URL.RawQuery)) }

// answer writes a body, until nobody wants it any more.
func answer(w io.Writer, body []byte) {
	for piece := range slices.Chunk(body, pieceSize) {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

func (s *server) async(ex fastcgi.Exchange) {
	next := []byte(head)
	left := s.bodyOf(ex.Params().Get("QUERY_STRING"))
	more := func() {
		for len(next) > 0 {
			switch _, err := ex.Write(next); {
			case errors.Is(err, fastcgi.ErrFull):
				return // OnDrain calls again
			case err != nil:
				left = nil
			}
			n := min(len(left), pieceSize)
			next, left = left[:n], left[n:]
		}
		_ = ex.Finish(0)
	}
	ex.OnDrain(more)
	more()
}
