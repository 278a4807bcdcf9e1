package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A conversation is what one end reads, and what it makes of it. The same table drives the other end's encoder where
// send is set; it is not for wires that no honest peer would send.
type conversation struct {
	name    string
	reader  protocol.Side
	config  *protocol.Config
	begun   []uint16 // requests that the reader has begun, if it is the web server's end
	wire    []record
	send    func(*sender) // the commands that make the wire
	want    []string      // events and errors, as a transcript has them
	replies []record      // what the protocol answers by itself
}

// run plays a conversation in every way that bytes can arrive, and holds the encoder against the same bytes.
func run(t *testing.T, table []conversation) {
	for _, talk := range table {
		t.Run(talk.name, func(t *testing.T) {
			rng := random(t)
			plain := wire(talk.wire...)
			// What follows must not matter, and what it says is nothing to either end.
			trailing := padded(rng, append(slices.Clone(talk.wire), record{200, 7, noise(rng, rng.IntN(300))})...)

			talk.play(t, "whole", plain, len(plain))
			talk.play(t, "byte by byte", plain, 1)
			talk.play(t, "with padding and trailing bytes", trailing, len(trailing))
			talk.play(t, "with padding and trailing bytes, byte by byte", trailing, 1)
			talk.play(t, "with padding and trailing bytes, in chunks", trailing, 2+rng.IntN(20))
			if talk.send != nil {
				talk.encode(t, plain)
			}
		})
	}
}

// play feeds a fresh end with input in chunks and compares what comes out.
func (talk *conversation) play(t *testing.T, way string, input []byte, chunk int) {
	t.Helper()
	c := talk.newReader(t)
	var tr transcript
	for part := range slices.Chunk(input, max(chunk, 1)) {
		tr.feed(t, c, part)
	}
	tr.replies = c.TakeReplies(tr.replies)
	if got := tr.done(); !slices.Equal(got, talk.want) {
		t.Errorf("%s: got\n%q\nwant\n%q", way, got, talk.want)
	}
	if want := wire(talk.replies...); !bytes.Equal(tr.replies, want) {
		t.Errorf("%s: replied\n%q\nwant\n%q", way, tr.replies, want)
	}
	if !tr.broken && !c.Idle() {
		t.Errorf("%s: not idle after the last record", way)
	}
}

func (talk *conversation) newReader(t *testing.T) *protocol.Conn {
	t.Helper()
	c := protocol.NewConn(talk.reader, talk.config)
	for _, id := range talk.begun {
		if _, err := c.Begin(nil, id, keepResponder); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

var keepResponder = protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn}

// encode lets the other end send the conversation and compares its bytes.
func (talk *conversation) encode(t *testing.T, want []byte) {
	t.Helper()
	s := sender{t: t}
	switch talk.reader {
	case protocol.Application:
		s.Conn = protocol.NewConn(protocol.WebServer, nil)
	case protocol.WebServer:
		s.Conn = protocol.NewConn(protocol.Application, talk.config)
		for _, id := range talk.begun {
			new(transcript).feed(t, s.Conn, wire(begin(id, protocol.RoleResponder, protocol.FlagKeepConn)))
		}
	}
	talk.send(&s)
	if !bytes.Equal(s.out, want) {
		t.Errorf("encoded\n%q\nwant\n%q", s.out, want)
	}
}

// A sender is an end that writes down what it sends, and fails the test where it is refused.
type sender struct {
	*protocol.Conn
	t   testing.TB
	out []byte
}

func (s *sender) begin(id uint16, role protocol.Role, flags uint8) {
	s.t.Helper()
	s.sent(s.Begin(s.out, id, protocol.BeginRequest{Role: role, Flags: flags}))
}

// stream sends p, or the stream's end if p is empty.
func (s *sender) stream(t protocol.RecordType, id uint16, p string) {
	s.t.Helper()
	if p == "" {
		s.sent(s.SendEnd(s.out, t, id))
		return
	}
	s.sent(s.Send(s.out, t, id, []byte(p)))
}

func (s *sender) abort(id uint16) {
	s.t.Helper()
	s.sent(s.Abort(s.out, id))
}

func (s *sender) end(id uint16, app uint32, status protocol.Status) {
	s.t.Helper()
	s.sent(s.EndRequest(s.out, id, protocol.EndRequest{AppStatus: app, Status: status}))
}

func (s *sender) sent(out []byte, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	s.out = out
}

// A transcript is what came out of a Conn, a line for each event or error. Neighbouring pieces of one stream are one
// line, whatever their records and chunks were: only their bytes mean anything.
type transcript struct {
	lines   []string
	replies []byte
	broken  bool // an error of the connection ended it

	stream protocol.RecordType // of the pieces being put together
	id     uint16
	pieces []byte

	react func(ev protocol.Event, err error) // if set, is told everything before the next call of Next
}

// feed gives p to c as a driver does, and checks what Next promises about its results.
func (tr *transcript) feed(t testing.TB, c *protocol.Conn, p []byte) {
	t.Helper()
	for len(p) > 0 {
		ev, rest, err := c.Next(p)
		checkNext(t, p, ev, rest, err)
		tr.note(ev, err)
		if tr.react != nil && (ev.Type != 0 || err != nil) {
			tr.react(ev, err)
		}
		p = rest
	}
}

// checkNext holds one call of Next against its doc comment.
func checkNext(t testing.TB, p []byte, ev protocol.Event, rest []byte, err error) {
	t.Helper()
	var fault *protocol.Error
	switch used := len(p) - len(rest); {
	case err != nil && !errors.As(err, &fault):
		t.Fatalf("Next returned %T: %v", err, err)
	case err != nil && (len(ev.Data) > 0 || ev.End):
		t.Fatalf("Next returned %v with data, or the end of a stream", err)
	case used < 0 || len(rest) > 0 && &rest[0] != &p[used]:
		t.Fatalf("Next returned a rest that is not the end of its input")
	case ev.Type == 0 && err == nil && len(rest) > 0:
		t.Fatalf("Next left %d bytes without an event", len(rest))
	case ev.Type != protocol.TypeGetValuesResult && len(ev.Data) > 0:
		if &ev.Data[0] != &p[used-len(ev.Data)] || cap(ev.Data) != len(ev.Data) {
			t.Fatalf("Data of %v does not alias the input, or reaches beyond its piece", ev.Type)
		}
	}
}

func (tr *transcript) note(ev protocol.Event, err error) {
	switch {
	case err != nil:
		tr.noteError(err.(*protocol.Error))
	case ev.Type == 0:
	case isStream(ev.Type) && !ev.End:
		if tr.stream != ev.Type || tr.id != ev.RequestID {
			tr.flush()
			tr.stream, tr.id = ev.Type, ev.RequestID
		}
		tr.pieces = append(tr.pieces, ev.Data...)
	default:
		tr.flush()
		tr.lines = append(tr.lines, describe(ev))
	}
}

// noteError notes an error, but not the parameters just before it: a chunk that ends before the fault is handed on, a
// chunk with the fault is not, and neither is of use.
func (tr *transcript) noteError(e *protocol.Error) {
	if e.Scope == protocol.ScopeRequest && tr.stream == e.Type && tr.id == e.RequestID {
		tr.stream, tr.pieces = 0, nil
	}
	tr.flush()
	if tr.broken {
		return // an error of the connection repeats itself
	}
	tr.broken = e.Scope == protocol.ScopeConnection
	tr.lines = append(tr.lines, fmt.Sprintf("%v: %v %d §%s %v", e.Scope, e.Type, e.RequestID, e.Section, e.Err))
}

func (tr *transcript) flush() {
	if tr.stream != 0 {
		tr.lines = append(tr.lines, piece(tr.stream, tr.id, string(tr.pieces)))
	}
	tr.stream, tr.pieces = 0, nil
}

// done returns all lines.
func (tr *transcript) done() []string {
	tr.flush()
	return tr.lines
}

// piece is a transcript's line for the bytes of a stream.
func piece(t protocol.RecordType, id uint16, s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%v %d %d bytes, CRC %08x", t, id, len(s), crc32.ChecksumIEEE([]byte(s)))
	}
	return fmt.Sprintf("%v %d %q", t, id, s)
}

func isStream(t protocol.RecordType) bool {
	switch t {
	case protocol.TypeParams, protocol.TypeStdin, protocol.TypeData, protocol.TypeStdout, protocol.TypeStderr:
		return true
	}
	return false
}

// describe is a transcript's line for any other event.
func describe(ev protocol.Event) string {
	var s string
	switch ev.Type {
	case protocol.TypeBeginRequest:
		s = fmt.Sprint(ev.Type, " ", ev.RequestID, " ", ev.Role)
	case protocol.TypeEndRequest:
		s = fmt.Sprint(ev.Type, " ", ev.RequestID, " ", ev.AppStatus, " ", ev.Status)
	case protocol.TypeGetValuesResult:
		s = fmt.Sprintf("%v %q=%q", ev.Type, ev.Name, ev.Data)
		if ev.Name == nil {
			s = fmt.Sprint(ev.Type, " nil")
		}
	case protocol.TypeUnknownType:
		s = fmt.Sprint(ev.Type, " ", ev.Unknown)
	default:
		s = fmt.Sprint(ev.Type, " ", ev.RequestID)
	}
	if ev.KeepConn {
		s += " keep"
	}
	if ev.End {
		s += " end"
	}
	return s
}

// cut cuts input into random chunks, some of them long, some a byte.
func cut(rng *rand.Rand, input []byte) [][]byte {
	var chunks [][]byte
	for len(input) > 0 {
		n := min(len(input), 1+rng.IntN(1<<rng.IntN(12)))
		chunks = append(chunks, input[:n])
		input = input[n:]
	}
	return chunks
}
