package protocol_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A28: what a peer asks for is at most twice what it sent, beside the values that it asked for.
func TestRepliesAreBounded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flood  []record
		values int // bytes of values asked for, in one round of the flood
	}{
		{"A26 unknown types", []record{{200, 0, ""}}, 0},
		{"A26 unknown types with content", []record{{200, 0, "content"}}, 0},
		{"A23 empty questions", []record{getValues("")}, 0},
		{"A23 questions", []record{getValues(nv("FCGI_MPXS_CONNS", "")), getValues(nv("FCGI_MAX_CONNS", "") + nv("FCGI_MAX_CONNS", ""))}, 6},
		{"A23 long values", []record{getValues(nv("long", "") + nv("long", ""))}, 1000 + 3},
		{"A35 unknown roles", []record{begin(1, 99, keep)}, 0},
		{"A31 aborted at once", []record{begin(1, responder, keep), abort(1)}, 0},
		{"A35 requests too many", []record{begin(7, responder, keep), begin(8, responder, keep), abort(7)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := &protocol.Config{MaxRequests: 1, Values: append(slices.Clone(threeValues.Values), constant("long", strings.Repeat("v", 1000)))}
			c := protocol.NewConn(protocol.Application, config)
			round := wire(tt.flood...)
			const rounds = 1000
			var tr transcript
			for range rounds {
				tr.feed(t, c, round)
			}
			if tr.broken {
				t.Fatal(tr.done())
			}
			replies := len(c.TakeReplies(nil))
			if limit := rounds * (2*len(round) + tt.values); replies == 0 || replies > limit {
				t.Errorf("%d bytes of replies to %d bytes", replies, rounds*len(round))
			}
		})
	}
}

// A28: replies that are taken while the flood goes on do not pile up.
func TestFloodKeepsNothing(t *testing.T) {
	rng := random(t)
	c := protocol.NewConn(protocol.Application, threeValues)
	flood := func(n int) {
		replies := make([]byte, 0, 1<<20)
		for range n {
			consume(t, c, wire(
				record{200, 0, full}, getValues(strings.Repeat(nv("FCGI_MPXS_CONNS", "x"), 100)), stdin(9, full),
				begin(1+uint16(rng.IntN(9)), 99, keep), begin(3, responder, keep), params(3, "\xff\x00\x00"), abort(3),
			))
			replies = c.TakeReplies(replies[:0])
		}
	}
	flood(10)
	before := liveBytes()
	flood(200)
	if grown := liveBytes() - before; grown > 16<<10 {
		t.Errorf("%d bytes more are live after the flood", grown)
	}
	runtime.KeepAlive(c)
}

// A burst of replies is not kept in memory once it was taken.
func TestRepliesAreGivenBack(t *testing.T) {
	conns := make([]*protocol.Conn, 50)
	input := wire(slices.Repeat([]record{{200, 0, ""}}, 2000)...)
	before := liveBytes()
	for i := range conns {
		conns[i] = protocol.NewConn(protocol.Application, nil)
		consume(t, conns[i], input)
		if n := len(conns[i].TakeReplies(nil)); n != 2000*16 {
			t.Fatalf("%d bytes of replies", n)
		}
	}
	if each := (liveBytes() - before) / len(conns); each > 2<<10 {
		t.Errorf("an idle connection keeps %d bytes", each)
	}
	runtime.KeepAlive(conns)
}

// F6: every id there is, begun on one connection. The first are taken, the others told so, and nothing is kept of them.
func TestBeginFlood(t *testing.T) {
	c := protocol.NewConn(protocol.Application, nil)
	before := liveBytes()
	var want []byte
	begun := 0
	for id := 1; id <= 65535; id++ {
		begun += consume(t, c, wire(begin(uint16(id), responder, keep)))
		if id > protocol.DefaultMaxRequests {
			want = append(want, wire(end(uint16(id), 0, protocol.StatusOverloaded))...)
		}
	}
	if begun != protocol.DefaultMaxRequests || c.Active() != begun {
		t.Errorf("%d requests began, %d are active", begun, c.Active())
	}
	if !bytes.Equal(c.TakeReplies(nil), want) {
		t.Error("the others were not all answered OVERLOADED, in their order")
	}
	want = nil
	if grown := liveBytes() - before; grown > 200*protocol.DefaultMaxRequests {
		t.Errorf("%d bytes for %d requests", grown, c.Active())
	}
	runtime.KeepAlive(c)
}

// F11: parameters that never end cost a request its place, not memory.
func TestParamsFlood(t *testing.T) {
	rng := random(t)
	c := protocol.NewConn(protocol.Application, nil)
	var tr transcript
	tr.feed(t, c, wire(begin(1, responder, keep)))
	before := liveBytes()
	faults := 0
	for range 2000 {
		for p := wire(params(1, nv(noName(rng, 20), noName(rng, 1000)))); len(p) > 0; {
			_, rest, err := c.Next(p)
			if err != nil {
				faults++
			}
			p = rest
		}
	}
	if faults != 1 {
		t.Errorf("%d errors, want one for the request", faults)
	}
	if grown := liveBytes() - before; grown > 16<<10 {
		t.Errorf("%d bytes are live after the flood", grown)
	}
	runtime.KeepAlive(c)
}

// noName is n random letters.
func noName(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(rng.IntN(26))
	}
	return string(b)
}

// What a caller attached is let go with its request, and with the connection.
func TestAttachedIsLetGo(t *testing.T) {
	const size = 1 << 20
	c := protocol.NewConn(protocol.Application, nil)
	before := liveBytes()
	for id := range uint16(20) {
		consume(t, c, wire(begin(id+1, responder, keep)))
		c.Attach(id+1, make([]byte, size))
	}
	for id := uint16(4); id <= 20; id++ {
		if _, err := c.EndRequest(nil, id, protocol.EndRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if kept := liveBytes() - before; kept > 3*size+size/2 {
		t.Errorf("%d bytes are live with 3 requests of %d", kept, size)
	}
	c.Reset(protocol.Application, nil)
	if kept := liveBytes() - before; kept > size/2 {
		t.Errorf("%d bytes are live after Reset", kept)
	}
	if c.Active() != 0 || consume(t, c, wire(begin(1, responder, keep))) != 1 {
		t.Error("Reset left a request active")
	}
	runtime.KeepAlive(c)
}

// liveBytes is the size of the heap that something still refers to.
func liveBytes() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
