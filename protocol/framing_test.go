package protocol_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	responder  = protocol.RoleResponder
	authorizer = protocol.RoleAuthorizer
	filter     = protocol.RoleFilter
	keep       = protocol.FlagKeepConn
)

// Requests as a web server sends them, record by record. Faults have their own table.
var framing = []conversation{
	{
		name:   "A7 one record",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), params(1, nv("a", "b")), params(1, ""), stdin(1, "body"), stdin(1, "")},
		send: func(s *sender) {
			s.begin(1, responder, keep)
			s.stream(protocol.TypeParams, 1, nv("a", "b"))
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "body")
			s.stream(protocol.TypeStdin, 1, "")
		},
		want: getRequest,
	},
	{
		name:   "A7 a record for each byte",
		reader: protocol.Application,
		wire: []record{
			begin(1, responder, keep), params(1, "\x01"), params(1, "\x01"), params(1, "a"), params(1, "b"), params(1, ""),
			stdin(1, "b"), stdin(1, "o"), stdin(1, "d"), stdin(1, "y"), stdin(1, ""),
		},
		want: getRequest,
	},
	{
		name:   "A3 content 65535 of a stream",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), params(1, ""), stdin(1, full), stdin(1, "x"), stdin(1, "")},
		want: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end",
			piece(protocol.TypeStdin, 1, full+"x"), "STDIN 1 end",
		},
	},
	{
		name:   "A3 content 65535 of records to skip",
		reader: protocol.Application,
		wire:   []record{stdin(9, full), {200, 9, full}, {200, 0, full}, begin(1, responder, keep)},
		want:   []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		replies: []record{
			unknownType(200),
		},
	},
	{
		name:   "A3 a stream longer than a record",
		reader: protocol.Application,
		wire: []record{
			begin(1, responder, keep), params(1, ""),
			stdin(1, full[:65528]), stdin(1, full[65528:]+full[:65521]), stdin(1, full[65521:]), stdin(1, ""),
		},
		send: func(s *sender) {
			s.begin(1, responder, keep)
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, full+full)
			s.stream(protocol.TypeStdin, 1, "")
		},
		want: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end",
			piece(protocol.TypeStdin, 1, full+full), "STDIN 1 end",
		},
	},
	{
		name:   "A9 interleaved requests",
		reader: protocol.Application,
		wire: []record{
			begin(1, responder, keep), begin(2, responder, keep),
			params(1, "\x01\x01"), params(2, "\x01"), params(1, "a"), params(2, "\x01c"), params(1, "b"), params(2, "d"),
			params(2, ""), stdin(2, "two"), params(1, ""), stdin(1, "on"), stdin(2, ""), stdin(1, "e"), stdin(1, ""),
		},
		send: func(s *sender) {
			s.begin(1, responder, keep)
			s.begin(2, responder, keep)
			for i, p := range []string{"\x01\x01", "\x01", "a", "\x01c", "b", "d"} {
				s.stream(protocol.TypeParams, uint16(1+i%2), p)
			}
			s.stream(protocol.TypeParams, 2, "")
			s.stream(protocol.TypeStdin, 2, "two")
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "on")
			s.stream(protocol.TypeStdin, 2, "")
			s.stream(protocol.TypeStdin, 1, "e")
			s.stream(protocol.TypeStdin, 1, "")
		},
		want: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", "BEGIN_REQUEST 2 RESPONDER keep",
			`PARAMS 1 "\x01\x01"`, `PARAMS 2 "\x01"`, `PARAMS 1 "a"`, `PARAMS 2 "\x01c"`, `PARAMS 1 "b"`, `PARAMS 2 "d"`,
			"PARAMS 2 end", `STDIN 2 "two"`, "PARAMS 1 end", `STDIN 1 "on"`, "STDIN 2 end", `STDIN 1 "e"`, "STDIN 1 end",
		},
	},
	{
		name:   "A10 records of an id that never began",
		reader: protocol.Application,
		wire:   []record{params(1, "x"), params(1, ""), stdin(1, "x"), stdin(1, ""), data(1, "x"), data(1, ""), abort(1)},
	},
	{
		name:   "A14 unknown and management types with a request's id",
		reader: protocol.Application,
		wire: []record{
			begin(1, responder, keep),
			{0, 1, "x"},
			{9, 1, nv("FCGI_MPXS_CONNS", "")},
			{10, 1, ""},
			{11, 1, "x"},
			{12, 1, ""},
			{200, 1, "x"},
			{255, 1, "x"},
			{0, 2, ""},
			{9, 2, ""},
			{255, 2, "x"},
		},
		want: []string{"BEGIN_REQUEST 1 RESPONDER keep"},
	},
	{
		name:   "A15 an application's records from a web server",
		reader: protocol.Application,
		wire: []record{
			begin(1, responder, keep), stdout(1, "x"), stdout(1, ""), stderr(1, "x"), stderr(1, ""), end(1, 0, 0),
			stdout(0, "x"), stderr(0, ""), end(0, 0, 0), stdout(2, "x"), end(2, 0, 0), params(1, ""),
		},
		want: []string{"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end"},
	},
	{
		name:   "A16 records after the end of their stream, or before its turn",
		reader: protocol.Application,
		wire: []record{
			begin(1, responder, keep), stdin(1, "early"), stdin(1, ""), data(1, "x"), data(1, ""),
			params(1, ""), params(1, "late"), params(1, ""), data(1, "x"),
			stdin(1, "body"), stdin(1, ""), stdin(1, "late"), stdin(1, ""), params(1, "late"), data(1, ""),
		},
		want: []string{"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", `STDIN 1 "body"`, "STDIN 1 end"},
	},
}

// full is the content of a record that has no room left. It is not the same everywhere, so that a shift shows.
var full = strings.Repeat("0123456789abcdefghijk\n", protocol.MaxContentLen)[:protocol.MaxContentLen]

var getRequest = []string{
	"BEGIN_REQUEST 1 RESPONDER keep", `PARAMS 1 "\x01\x01ab"`, "PARAMS 1 end", `STDIN 1 "body"`, "STDIN 1 end",
}

func TestFraming(t *testing.T) { run(t, framing) }

// Faults after which nothing on the connection can be trusted.
var faults = []conversation{
	{
		name:   "A12 BEGIN_REQUEST for an active id",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), begin(2, responder, keep), begin(1, responder, keep), params(2, "")},
		want: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", "BEGIN_REQUEST 2 RESPONDER keep",
			"connection: BEGIN_REQUEST 1 §5.1 request id is already active",
		},
	},
	{
		name:   "A12 BEGIN_REQUEST for an aborted id whose end is still due",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), params(1, ""), abort(1), begin(1, responder, keep)},
		want: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", "ABORT_REQUEST 1",
			"connection: BEGIN_REQUEST 1 §5.1 request id is already active",
		},
	},
	{
		name:   "A27 BEGIN_REQUEST with id 0",
		reader: protocol.Application,
		wire:   []record{begin(0, responder, keep), begin(1, responder, keep)},
		want:   []string{"connection: BEGIN_REQUEST 0 §3.3 application record with request id 0"},
	},
}

func TestFaults(t *testing.T) {
	run(t, faults)
	for _, n := range []int{0, 7, 9, 16, protocol.MaxContentLen} {
		run(t, []conversation{{
			name:   fmt.Sprintf("A13 BEGIN_REQUEST of %d bytes", n),
			reader: protocol.Application,
			wire:   []record{{protocol.TypeBeginRequest, 1, full[:n]}, begin(2, responder, keep)},
			want:   []string{"connection: BEGIN_REQUEST 1 §5.1 content has the wrong length"},
		}})
	}
}

// A5: a wrong version is told by its first byte, so that who speaks HTTP is not kept waiting for seven more.
func TestVersion(t *testing.T) {
	for _, side := range []protocol.Side{protocol.Application, protocol.WebServer} {
		for _, first := range []string{"\x00", "\x02", "\xff", "GET / HTTP/1.1\r\n"} {
			t.Run(fmt.Sprintf("A5 C9 side %d, %q", side, first), func(t *testing.T) {
				c := protocol.NewConn(side, nil)
				var tr transcript
				tr.feed(t, c, append(wire(record{200, 7, "skipped"}), first...))
				tr.feed(t, c, wire(begin(1, responder, keep)))
				if got, want := tr.done(), []string{"connection: RecordType(0) 0 §3.3 unsupported protocol version"}; !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				if c.Active() != 0 {
					t.Error("a request began after the fault")
				}
			})
		}
	}
}

// A2 and A3: every padding on every type, with and without content, and the record after it is found.
func TestPadding(t *testing.T) {
	rng := random(t)
	for _, size := range []int{0, 1, 7, 8, 254, 255} {
		t.Run(fmt.Sprintf("A2 padding %d", size), func(t *testing.T) {
			talk := everyType
			talk.play(t, "whole", everyTypePadded(noise(rng, size)), 1<<20)
			talk.play(t, "byte by byte", everyTypePadded(noise(rng, size)), 1)
			talk.play(t, "in odd chunks", everyTypePadded(noise(rng, size)), 3)
		})
	}
	for _, r := range []record{stdin(9, full), {200, 9, full}, {200, 0, full}, stdin(1, full), {200, 1, full}} {
		t.Run(fmt.Sprintf("A3 content 65535 and padding 255 of %v for id %d", r.t, r.id), func(t *testing.T) {
			out := wire(begin(1, responder, keep), params(1, ""))
			out = r.append(out, noise(rng, 255), 0xff)
			out = append(out, wire(abort(1))...)
			var tr transcript
			c := protocol.NewConn(protocol.Application, nil)
			for _, chunk := range cut(rng, out) {
				tr.feed(t, c, chunk)
			}
			if got := tr.done(); got[len(got)-1] != "ABORT_REQUEST 1" {
				t.Errorf("the record after it was not found: %q", got)
			}
		})
	}
}

// everyType has a record of every type that an application may meet, those with a stream both full and empty.
var everyType = conversation{
	reader: protocol.Application,
	wire: []record{
		begin(1, responder, keep), begin(2, filter, keep),
		params(1, nv("a", "b")), params(1, ""), params(2, ""),
		stdin(1, "body"), stdin(1, ""), stdin(2, ""), data(2, "file"), data(2, ""),
		abort(1),
		{protocol.TypeAbortRequest, 2, "no meaning"},
		getValues(""), getValues(nv("FCGI_MPXS_CONNS", "")),
		{200, 0, ""},
		{255, 0, "x"},
		getValuesResult(""), unknownType(9), stdout(1, "x"), stderr(1, ""), end(1, 0, 0),
		{12, 1, ""},
		{12, 1, "x"},
	},
	want: []string{
		"BEGIN_REQUEST 1 RESPONDER keep", "BEGIN_REQUEST 2 FILTER keep",
		`PARAMS 1 "\x01\x01ab"`, "PARAMS 1 end", "PARAMS 2 end",
		`STDIN 1 "body"`, "STDIN 1 end", "STDIN 2 end", `DATA 2 "file"`, "DATA 2 end", "ABORT_REQUEST 1", "ABORT_REQUEST 2",
	},
	replies: []record{getValuesResult(""), getValuesResult(""), unknownType(200), unknownType(255)},
}

func everyTypePadded(padding string) []byte {
	var out []byte
	for _, r := range everyType.wire {
		out = r.append(out, padding, 0xff)
	}
	return out
}

// A1: cut in two at any place, the bytes mean the same.
func TestEveryCut(t *testing.T) {
	input := everyTypePadded("pad")
	for at := range input {
		var tr transcript
		c := protocol.NewConn(protocol.Application, nil)
		tr.feed(t, c, input[:at])
		tr.feed(t, c, input[at:])
		if got := tr.done(); !slices.Equal(got, everyType.want) {
			t.Fatalf("A1 cut at %d: got %q", at, got)
		}
	}
}

// A4: reserved bytes may hold anything when they come, and are zero when they go, whatever was in the buffer.
func TestReservedBytes(t *testing.T) {
	t.Run("A4 received", func(t *testing.T) {
		r := begin(1, responder, 0xfe|keep)
		r.content = r.content[:3] + "\xff\xff\xff\xff\xff"
		run(t, []conversation{{
			name: "BEGIN_REQUEST", reader: protocol.Application, wire: []record{r}, want: []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		}})
	})
	t.Run("A4 sent", func(t *testing.T) {
		dirty := func() []byte { return bytes.Repeat([]byte{0xee}, 64)[:0] }
		for _, sent := range []struct {
			got  []byte
			want record
		}{
			{protocol.AppendBeginRequest(dirty(), 1, keepResponder), begin(1, responder, keep)},
			{protocol.AppendEndRequest(dirty(), 1, protocol.EndRequest{AppStatus: 5, Status: 2}), end(1, 5, 2)},
			{protocol.AppendUnknownType(dirty(), 42), unknownType(42)},
			{protocol.AppendStreamEnd(dirty(), protocol.TypeStdout, 1), stdout(1, "")},
			{protocol.AppendRecord(dirty(), protocol.TypeStderr, 1, []byte("x")), stderr(1, "x")},
		} {
			if !bytes.Equal(sent.got, wire(sent.want)) {
				t.Errorf("%v: got %q", sent.want.t, sent.got)
			}
		}
	})
}

// A6: a driver that meets the end of the input can tell whether it cut a record.
func TestIdle(t *testing.T) {
	for _, padding := range []string{"", "pad"} {
		var input []byte
		between := map[int]bool{0: true}
		for _, r := range everyType.wire {
			input = r.append(input, padding, 0)
			between[len(input)] = true
		}
		c := protocol.NewConn(protocol.Application, nil)
		for at, b := range input {
			if c.Idle() != between[at] {
				t.Errorf("A6 padding %q: Idle is %v after %d bytes", padding, c.Idle(), at)
			}
			new(transcript).feed(t, c, []byte{b})
		}
	}
}

// A8: ids from one end of the range to the other, and answers that echo them.
func TestRequestIDs(t *testing.T) {
	for _, id := range []uint16{1, 255, 256, 65535} {
		other := id ^ 2
		talk := conversation{
			name:    fmt.Sprintf("A8 id %d", id),
			reader:  protocol.Application,
			config:  &protocol.Config{MaxRequests: 1},
			wire:    []record{begin(id, responder, keep), begin(other, responder, keep), params(id, "")},
			want:    []string{fmt.Sprintf("BEGIN_REQUEST %d RESPONDER keep", id), fmt.Sprintf("PARAMS %d end", id)},
			replies: []record{end(other, 0, protocol.StatusCantMultiplex)},
			send: func(s *sender) {
				s.begin(id, responder, keep)
				s.begin(other, responder, keep)
				s.stream(protocol.TypeParams, id, "")
			},
		}
		run(t, []conversation{talk})
	}
}
