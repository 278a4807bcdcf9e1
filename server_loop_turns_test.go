//go:build linux

package fastcgi_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// onOneLoop is the place where everything happens on one loop and beside it: the server has a loop for each processor.
func onOneLoop(t testing.TB) place {
	procs := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	return place{drivers[1], "unix"}
}

// F6: fifty answers on one connection take turns of at most 64 KiB, none a second one before all others had theirs; and other
// connections are answered meanwhile.
func TestF6LoopTurnsOfMany(t *testing.T) {
	const n, size = 50, 1 << 20
	exchanges := make(chan fastcgi.Exchange, n)
	a := onOneLoop(t).serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		if ex.Params().Get("LARGE") != "" {
			exchanges <- ex
			return
		}
		io.WriteString(ex, "hello")
		ex.Finish(0)
	})})
	w, other := a.dial(t), a.dial(t)
	for id := range uint16(n) {
		w.send(get(id+1, true, "LARGE", "1"))
		ex := receive(t, exchanges)
		ex.Write(make([]byte, size))
		ex.Finish(0)
	}
	var turns []turn
	for ends, records := 0, 0; ends < n; records++ {
		h, length := readRecord(t, w)
		if len(turns) == 0 || turns[len(turns)-1].id != h.RequestID {
			turns = append(turns, turn{id: h.RequestID})
		}
		turns[len(turns)-1].bytes += length
		if h.Type == protocol.TypeEndRequest {
			ends++
		}
		if records%20 == 0 {
			other.ask(1).expect(t, "hello")
		}
	}
	expectFair(t, turns)
}

// readRecord reads one record and returns its header and whole length.
func readRecord(t testing.TB, r io.Reader) (protocol.Header, int) {
	t.Helper()
	header := make([]byte, protocol.HeaderLen)
	if _, err := io.ReadFull(r, header); err != nil {
		t.Fatal(err)
	}
	h := protocol.ParseHeader(header)
	n, err := io.CopyN(io.Discard, r, int64(h.ContentLength)+int64(h.PaddingLength))
	if err != nil {
		t.Fatal(err)
	}
	return h, protocol.HeaderLen + int(n)
}

// expectFair checks turns, except for the first, in which a request had the socket for itself, and the last, in which one was
// left over.
func expectFair(t *testing.T, turns []turn) {
	t.Helper()
	ends := make(map[uint16]int) // the last turn of each
	for i, turn := range turns {
		ends[turn.id] = i
	}
	last := make(map[uint16]int) // the turn before, of each
	for i, turn := range turns[:len(turns)-1] {
		if i > 0 && turn.bytes > outputLimit {
			t.Fatalf("turn %d, of request %d, has %d bytes", i, turn.id, turn.bytes)
		}
		for other, end := range ends {
			before, had := last[turn.id]
			if had && last[other] < before && end > i {
				t.Fatalf("request %d had turns %d and %d, and request %d none between them", turn.id, before, i, other)
			}
		}
		last[turn.id] = i
	}
}
