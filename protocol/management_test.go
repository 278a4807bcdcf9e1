package protocol_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// threeValues is a Config with the variables of the specification.
var threeValues = &protocol.Config{Values: []protocol.Value{
	constant(protocol.VarMaxConns, "10000"),
	constant(protocol.VarMaxReqs, "50"),
	constant(protocol.VarMpxsConns, "1"),
}}

func constant(name, value string) protocol.Value {
	return protocol.Value{Name: name, Value: func() string { return value }}
}

var management = []conversation{
	{
		name:    "A23 three names",
		reader:  protocol.Application,
		config:  threeValues,
		wire:    []record{getValues(nv("FCGI_MAX_CONNS", "") + nv("FCGI_MAX_REQS", "") + nv("FCGI_MPXS_CONNS", ""))},
		replies: []record{getValuesResult(nv("FCGI_MAX_CONNS", "10000") + nv("FCGI_MAX_REQS", "50") + nv("FCGI_MPXS_CONNS", "1"))},
	},
	{
		name:    "A24 one name among unknown ones",
		reader:  protocol.Application,
		config:  threeValues,
		wire:    []record{getValues(nv("FCGI_MAX", "") + nv("", "") + nv("FCGI_MAX_REQS", "") + nv("fcgi_max_conns", ""))},
		replies: []record{getValuesResult(nv("FCGI_MAX_REQS", "50"))},
	},
	{
		name:    "A24 no names",
		reader:  protocol.Application,
		config:  threeValues,
		wire:    []record{getValues("")},
		replies: []record{getValuesResult("")},
	},
	{
		name:    "A24 a value in the question",
		reader:  protocol.Application,
		config:  threeValues,
		wire:    []record{getValues(nv("FCGI_MPXS_CONNS", strings.Repeat("v", 300)))},
		replies: []record{getValuesResult(nv("FCGI_MPXS_CONNS", "1"))},
	},
	{
		name:    "A24 4,000 duplicates",
		reader:  protocol.Application,
		config:  threeValues,
		wire:    []record{getValues(strings.Repeat(nv("FCGI_MAX_REQS", ""), 4000))},
		replies: []record{getValuesResult(nv("FCGI_MAX_REQS", "50"))},
	},
	{
		name:    "A24 nothing to tell",
		reader:  protocol.Application,
		wire:    []record{getValues(nv("FCGI_MPXS_CONNS", ""))},
		replies: []record{getValuesResult("")},
	},
	{
		name:   "A25 at any time",
		reader: protocol.Application,
		config: threeValues,
		wire: []record{
			getValues(nv("FCGI_MAX_REQS", "")), begin(1, responder, keep), getValues(""),
			params(1, "\x01"), getValues(nv("FCGI_MAX_REQS", "")), params(1, "\x01nv"), params(1, ""),
			stdin(1, "bo"), getValues(""), stdin(1, "dy"), stdin(1, ""), getValues(""),
		},
		want: []string{
			"BEGIN_REQUEST 1 RESPONDER keep", `PARAMS 1 "\x01\x01nv"`, "PARAMS 1 end", `STDIN 1 "body"`, "STDIN 1 end",
		},
		replies: []record{
			getValuesResult(nv("FCGI_MAX_REQS", "50")), getValuesResult(""), getValuesResult(nv("FCGI_MAX_REQS", "50")),
			getValuesResult(""), getValuesResult(""),
		},
	},
	{
		name:   "A26 unknown management types",
		reader: protocol.Application,
		wire:   []record{{0, 0, ""}, {12, 0, "x"}, {200, 0, strings.Repeat("x", 100)}, {255, 0, ""}, begin(1, responder, keep)},
		want:   []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		replies: []record{
			unknownType(0), unknownType(12), unknownType(200), unknownType(255),
		},
	},
	{
		name:   "A27 answers to nothing, and streams with id 0",
		reader: protocol.Application,
		wire: []record{
			getValuesResult(nv("FCGI_MPXS_CONNS", "1")), unknownType(9), getValuesResult("\x01"),
			{protocol.TypeUnknownType, 0, ""},
			params(0, nv("a", "b")), params(0, ""), stdin(0, "x"), stdin(0, ""), data(0, "x"), data(0, ""), abort(0),
		},
	},
	{
		name:   "a question cut short",
		reader: protocol.Application,
		config: threeValues,
		wire:   []record{getValues(nv("FCGI_MAX_REQS", "") + "\x02\x00x")},
		want:   []string{"connection: GET_VALUES 0 §3.4 name-value pair is cut short"},
	},
	{
		name:   "A21 a question that announces 0x7fffffff",
		reader: protocol.Application,
		config: threeValues,
		wire:   []record{getValues(strings.Repeat("\xff", 8) + "x")},
		want:   []string{"connection: GET_VALUES 0 §3.4 name-value pair is cut short"},
	},
	{
		name:   "C11 answers that a web server gets",
		reader: protocol.WebServer,
		wire: []record{
			getValuesResult(nv("FCGI_MAX_CONNS", "1") + nv("FCGI_MPXS_CONNS", "")), getValuesResult(""),
			unknownType(9),
			{protocol.TypeUnknownType, 0, "\x2a"},
			{protocol.TypeUnknownType, 0, "\x2alonger than it should be"},
		},
		want: []string{
			`GET_VALUES_RESULT "FCGI_MAX_CONNS"="1"`, `GET_VALUES_RESULT "FCGI_MPXS_CONNS"="" end`, "GET_VALUES_RESULT nil end",
			"UNKNOWN_TYPE GET_VALUES", "UNKNOWN_TYPE RecordType(42)", "UNKNOWN_TYPE RecordType(42)",
		},
	},
	{
		name:   "C11 an answer too long to keep",
		reader: protocol.WebServer,
		wire:   []record{getValuesResult(nv(strings.Repeat("n", 65), "1") + nv("n", strings.Repeat("v", 65)) + nv("", ""))},
		want:   []string{"GET_VALUES_RESULT nil", "GET_VALUES_RESULT nil", `GET_VALUES_RESULT ""="" end`},
	},
	{
		name:   "C11 an answer cut short",
		reader: protocol.WebServer,
		wire:   []record{getValuesResult(nv("n", "v") + "\x01\x02nv")},
		want: []string{
			`GET_VALUES_RESULT "n"="v"`, "connection: GET_VALUES_RESULT 0 §3.4 name-value pair is cut short",
		},
	},
	{
		name:   "C11 an answer that announces 0x7fffffff",
		reader: protocol.WebServer,
		wire:   []record{getValuesResult(strings.Repeat("\xff", 8) + "nv")},
		want:   []string{"connection: GET_VALUES_RESULT 0 §3.4 name-value pair is cut short"},
	},
	{
		name:   "C11 an empty UNKNOWN_TYPE",
		reader: protocol.WebServer,
		wire:   []record{{protocol.TypeUnknownType, 0, ""}},
		want:   []string{"connection: UNKNOWN_TYPE 0 §4.2 content has the wrong length"},
	},
	{
		name:   "C9 management records that are not for a web server",
		reader: protocol.WebServer,
		wire:   []record{getValues(nv("FCGI_MPXS_CONNS", "")), {12, 0, "x"}, {0, 0, ""}, params(0, "x"), abort(0), begin(0, responder, 0)},
	},
}

func TestManagement(t *testing.T) { run(t, management) }

// A value is asked for when the question comes, and once for a question.
func TestValueIsAskedForOnce(t *testing.T) {
	asked := 0
	c := protocol.NewConn(protocol.Application, &protocol.Config{Values: []protocol.Value{{
		Name: "n", Value: func() string { asked++; return fmt.Sprint(asked) },
	}}})
	for want := 1; want <= 3; want++ {
		new(transcript).feed(t, c, wire(getValues(nv("n", "")+nv("other", "")+nv("n", ""))))
		if got := c.TakeReplies(nil); !bytes.Equal(got, wire(getValuesResult(nv("n", fmt.Sprint(want))))) {
			t.Errorf("question %d: %q", want, got)
		}
	}
}

// Replies wait until they are taken, in the order of the questions, and then are gone.
func TestTakeReplies(t *testing.T) {
	c := protocol.NewConn(protocol.Application, threeValues)
	if c.HasReplies() {
		t.Error("a new connection has replies")
	}
	new(transcript).feed(t, c, wire(record{200, 0, ""}, getValues("")))
	if !c.HasReplies() {
		t.Error("no replies")
	}
	want := slices.Concat([]byte("before"), wire(unknownType(200), getValuesResult("")))
	if got := c.TakeReplies([]byte("before")); !bytes.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := c.TakeReplies(nil); len(got) > 0 || c.HasReplies() {
		t.Errorf("replies were given twice: %q", got)
	}
}

// The question is padded, since libfcgi would wait for a byte more.
func TestAppendGetValues(t *testing.T) {
	for _, names := range [][]string{{}, {"a"}, {"abcdef"}, {"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"}} {
		content := ""
		for _, name := range names {
			content += nv(name, "")
		}
		padding := strings.Repeat("\x00", 8-len(content)%8)
		dirty := bytes.Repeat([]byte{0xee}, 128)[:0]
		if got, want := protocol.AppendGetValues(dirty, names...), getValues(content).append(nil, padding, 0); !bytes.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", names, got, want)
		}
	}
}
