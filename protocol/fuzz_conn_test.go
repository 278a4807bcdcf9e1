package protocol_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// fuzzConfig has limits that a short input can reach.
var fuzzConfig = &protocol.Config{
	Roles:       []protocol.Role{responder, authorizer, filter},
	MaxRequests: 3,
	MaxParams:   100,
	MaxPairs:    4,
	Values:      []protocol.Value{constant("FCGI_MPXS_CONNS", "1"), constant("FCGI_MAX_REQS", "3")},
}

// A fuzzed end reads what it is given, however bad, and acts on it in a way that depends on nothing but the events.
type fuzzedEnd struct {
	*protocol.Conn
	t    *testing.T
	tr   transcript
	sent []byte
}

// result is what must not depend on how the input was cut.
type result struct {
	lines         []string
	replies, sent []byte
	active        int
	idle, keep    bool
}

func (e *fuzzedEnd) read(chunks [][]byte) result {
	for _, chunk := range chunks {
		e.tr.feed(e.t, e.Conn, chunk)
		e.tr.replies = e.TakeReplies(e.tr.replies)
		if e.Active() > 4 { // the most of either end
			e.t.Fatalf("%d requests are active", e.Active())
		}
	}
	return result{e.tr.done(), e.tr.replies, e.sent, e.Active(), e.Idle(), e.KeepConn()}
}

func (e *fuzzedEnd) sends(out []byte, err error) {
	if err != nil {
		e.t.Fatal(err)
	}
	e.sent = out
}

func newFuzzedApplication(t *testing.T) *fuzzedEnd {
	e := &fuzzedEnd{Conn: protocol.NewConn(protocol.Application, fuzzConfig), t: t}
	e.tr.react = e.asApplication
	return e
}

// asApplication answers requests: some at once, some at the end of their input, some never.
func (e *fuzzedEnd) asApplication(ev protocol.Event, err error) {
	id := ev.RequestID
	role, _ := ev.User.(protocol.Role)
	switch {
	case err != nil && err.(*protocol.Error).Scope == protocol.ScopeConnection:
	case err != nil:
		e.answer(id, protocol.EndRequest{AppStatus: 1})
	case ev.Type == protocol.TypeBeginRequest:
		e.Attach(id, ev.Role)
	case ev.Type == protocol.TypeAbortRequest && !ev.End:
		e.answer(id, protocol.EndRequest{AppStatus: 2})
	case ev.Type == protocol.TypeParams && ev.End && role == authorizer:
		e.answer(id, protocol.EndRequest{Status: protocol.StatusOverloaded})
	case ev.Type == protocol.TypeStdin && ev.End && role == responder && id%4 != 0, ev.Type == protocol.TypeData && ev.End:
		e.answer(id, protocol.EndRequest{})
	}
}

func (e *fuzzedEnd) answer(id uint16, end protocol.EndRequest) {
	e.sends(e.Send(e.sent, protocol.TypeStderr, id, []byte("log")))
	e.sends(e.Send(e.sent, protocol.TypeStdout, id, []byte("out")))
	e.sends(e.Conn.EndRequest(e.sent, id, end))
}

func newFuzzedWebServer(t *testing.T) *fuzzedEnd {
	e := &fuzzedEnd{Conn: protocol.NewConn(protocol.WebServer, nil), t: t}
	for _, id := range []uint16{1, 2, 300, 65535} {
		e.begin(id)
	}
	e.tr.react = func(ev protocol.Event, err error) {
		if ev.Type == protocol.TypeEndRequest && ev.RequestID%2 == 1 {
			e.begin(ev.RequestID) // an id that comes again
		}
	}
	return e
}

func (e *fuzzedEnd) begin(id uint16) {
	e.sends(e.Begin(e.sent, id, protocol.BeginRequest{Role: protocol.Role(1 + id%3), Flags: keep}))
	e.sends(e.SendEnd(e.sent, protocol.TypeParams, id))
}

// fuzzConn reads input whole, byte by byte and in random chunks, and compares.
func fuzzConn(t *testing.T, input []byte, seed uint64, newEnd func(*testing.T) *fuzzedEnd) {
	whole := newEnd(t).read([][]byte{input})
	if limit := 2 * len(input); len(whole.replies) > limit {
		t.Errorf("%d bytes of replies to %d bytes", len(whole.replies), len(input))
	}
	compare(t, "byte by byte", newEnd(t).read(slices.Collect(slices.Chunk(input, 1))), whole)
	compare(t, "in chunks", newEnd(t).read(cut(rand.New(rand.NewPCG(seed, 0)), input)), whole)
}

func compare(t *testing.T, way string, got, whole result) {
	t.Helper()
	if !slices.Equal(got.lines, whole.lines) {
		t.Errorf("%s\n%q\nwhole\n%q", way, got.lines, whole.lines)
	}
	if !bytes.Equal(got.replies, whole.replies) {
		t.Errorf("%s replied %q, whole %q", way, got.replies, whole.replies)
	}
	if !bytes.Equal(got.sent, whole.sent) {
		t.Errorf("%s sent %q, whole %q", way, got.sent, whole.sent)
	}
	if got.active != whole.active || got.idle != whole.idle || got.keep != whole.keep {
		t.Errorf("%s left %+v, whole %+v", way, got, whole)
	}
}

// FuzzConnApplication and FuzzConnWebServer hold A1 against any bytes: events, errors, replies and what an end then
// sends are the same however the input is cut. checkNext adds what holds for each call of Next.
func FuzzConnApplication(f *testing.F) {
	addConversations(f, framing, faults, management, lifecycle)
	f.Add(everyTypePadded("pad"), uint64(1))
	f.Add(wire(begin(4, filter, 0), params(4, blocks[4].block), params(4, ""), stdin(4, ""), data(4, "x"), data(4, ""), begin(4, responder, keep)), uint64(2))
	for i, b := range blocks {
		f.Add(padded(rand.New(rand.NewPCG(0, 0)), begin(1, responder, 0), params(1, b.block), params(1, ""), stdin(1, "")), uint64(i))
	}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) { fuzzConn(t, input, seed, newFuzzedApplication) })
}

func FuzzConnWebServer(f *testing.F) {
	addConversations(f, responses, management)
	f.Add(wire(end(1, 0, 0), stdout(1, "again"), end(1, 5, 2), stderr(300, ""), end(300, 0, 0), stdout(300, "late")), uint64(1))
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) { fuzzConn(t, input, seed, newFuzzedWebServer) })
}

// addConversations makes the tables' wires seeds, those at least that a fuzzer can work on.
func addConversations(f *testing.F, tables ...[]conversation) {
	for _, talk := range slices.Concat(tables...) {
		if plain := wire(talk.wire...); len(plain) < 1000 {
			f.Add(plain, uint64(len(plain)))
			f.Add(padded(rand.New(rand.NewPCG(0, 0)), talk.wire...), uint64(len(plain)))
		}
	}
}
