package protocol_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var lifecycle = []conversation{
	{
		name:   "A31 ABORT_REQUEST before the end of PARAMS, twice",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), params(1, "\x01"), abort(1), abort(1), params(1, ""), stdin(1, "")},
		want:   []string{"BEGIN_REQUEST 1 RESPONDER keep", `PARAMS 1 "\x01"`, "ABORT_REQUEST 1 end"},
		replies: []record{
			end(1, 0, protocol.StatusRequestComplete),
		},
	},
	{
		name:   "A31 ABORT_REQUEST of a request that runs, twice",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), params(1, ""), stdin(1, "bo"), abort(1), abort(1)},
		want:   []string{"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", `STDIN 1 "bo"`, "ABORT_REQUEST 1"},
	},
	{
		name:   "A31 ABORT_REQUEST of a request that is sent",
		reader: protocol.Application,
		wire:   []record{begin(1, responder, keep), params(1, ""), stdin(1, ""), abort(1)},
		send: func(s *sender) {
			s.begin(1, responder, keep)
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "")
			s.abort(1)
		},
		want: []string{"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", "STDIN 1 end", "ABORT_REQUEST 1"},
	},
	{
		name:   "A32 records after ABORT_REQUEST",
		reader: protocol.Application,
		wire: []record{
			begin(1, filter, keep), params(1, ""), stdin(1, "x"), abort(1),
			stdin(1, "late"), stdin(1, ""), data(1, "late"), data(1, ""), params(1, "late"),
		},
		want: []string{"BEGIN_REQUEST 1 FILTER keep", "PARAMS 1 end", `STDIN 1 "x"`, "ABORT_REQUEST 1"},
	},
	{
		name:   "A34 a second request where there can be one",
		reader: protocol.Application,
		config: &protocol.Config{MaxRequests: 1},
		wire: []record{
			begin(1, responder, keep), params(1, ""), begin(2, responder, keep), params(2, ""), stdin(2, "x"), stdin(1, "body"),
		},
		want:    []string{"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", `STDIN 1 "body"`},
		replies: []record{end(2, 0, protocol.StatusCantMultiplex)},
	},
	{
		name:   "A35 a third request where there can be two",
		reader: protocol.Application,
		config: &protocol.Config{MaxRequests: 2},
		wire:   []record{begin(1, responder, keep), begin(2, responder, keep), begin(3, responder, keep), params(3, ""), params(1, "")},
		want:   []string{"BEGIN_REQUEST 1 RESPONDER keep", "BEGIN_REQUEST 2 RESPONDER keep", "PARAMS 1 end"},
		replies: []record{
			end(3, 0, protocol.StatusOverloaded),
		},
	},
	{
		name:   "A35 roles that do not exist",
		reader: protocol.Application,
		wire:   []record{begin(1, 0, keep), begin(2, 4, keep), begin(1, 65535, keep), begin(1, responder, keep)},
		want:   []string{"BEGIN_REQUEST 1 RESPONDER keep"},
		replies: []record{
			end(1, 0, protocol.StatusUnknownRole), end(2, 0, protocol.StatusUnknownRole), end(1, 0, protocol.StatusUnknownRole),
		},
	},
	{
		name:   "A35 roles that are not served",
		reader: protocol.Application,
		config: &protocol.Config{Roles: []protocol.Role{protocol.RoleAuthorizer}},
		wire:   []record{begin(1, responder, keep), begin(2, authorizer, keep), begin(3, filter, keep)},
		want:   []string{"BEGIN_REQUEST 2 AUTHORIZER keep"},
		replies: []record{
			end(1, 0, protocol.StatusUnknownRole), end(3, 0, protocol.StatusUnknownRole),
		},
	},
	{
		name:    "A35 no role is served",
		reader:  protocol.Application,
		config:  &protocol.Config{Roles: []protocol.Role{}},
		wire:    []record{begin(1, responder, keep)},
		replies: []record{end(1, 0, protocol.StatusUnknownRole)},
	},
	{
		name:   "A41 an authorizer's request as Apache sends it, without STDIN",
		reader: protocol.Application,
		wire:   []record{begin(1, authorizer, 0), params(1, nv("a", "b")), params(1, "")},
		send: func(s *sender) {
			s.begin(1, authorizer, 0)
			s.stream(protocol.TypeParams, 1, nv("a", "b"))
			s.stream(protocol.TypeParams, 1, "")
		},
		want: []string{"BEGIN_REQUEST 1 AUTHORIZER", `PARAMS 1 "\x01\x01ab"`, "PARAMS 1 end"},
	},
	{
		name:   "A41 an authorizer's request as lighttpd sends it, with an empty STDIN",
		reader: protocol.Application,
		wire:   []record{begin(1, authorizer, 0), params(1, ""), stdin(1, "")},
		send: func(s *sender) {
			s.begin(1, authorizer, 0)
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "")
		},
		want: []string{"BEGIN_REQUEST 1 AUTHORIZER", "PARAMS 1 end", "STDIN 1 end"},
	},
	{
		name:   "A41 an authorizer's request with a body",
		reader: protocol.Application,
		wire:   []record{begin(1, authorizer, keep), params(1, ""), stdin(1, "x"), stdin(1, ""), stdin(1, "")},
		want:   []string{"BEGIN_REQUEST 1 AUTHORIZER keep", "PARAMS 1 end", "STDIN 1 end"},
	},
	{
		name:   "A42 C1 a filter's request",
		reader: protocol.Application,
		wire: []record{
			begin(1, filter, keep), params(1, ""), stdin(1, "body"), stdin(1, ""), data(1, "file"), data(1, ""),
		},
		send: func(s *sender) {
			s.begin(1, filter, keep)
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "body")
			s.stream(protocol.TypeStdin, 1, "")
			s.stream(protocol.TypeData, 1, "file")
			s.stream(protocol.TypeData, 1, "")
		},
		want: []string{
			"BEGIN_REQUEST 1 FILTER keep", "PARAMS 1 end", `STDIN 1 "body"`, "STDIN 1 end", `DATA 1 "file"`, "DATA 1 end",
		},
	},
	{
		name:   "A42 DATA before the end of STDIN",
		reader: protocol.Application,
		wire:   []record{begin(1, filter, keep), params(1, ""), data(1, "early"), data(1, ""), stdin(1, ""), data(1, "file")},
		want:   []string{"BEGIN_REQUEST 1 FILTER keep", "PARAMS 1 end", "STDIN 1 end", `DATA 1 "file"`},
	},
}

func TestLifecycle(t *testing.T) { run(t, lifecycle) }

// answer feeds an application with records and lets it answer request 1.
func answer(t *testing.T, records []record, commands func(*sender)) *sender {
	t.Helper()
	s := &sender{Conn: protocol.NewConn(protocol.Application, nil), t: t}
	new(transcript).feed(t, s.Conn, wire(records...))
	commands(s)
	return s
}

// A37, A38: what a request's end brings with it.
func TestEndRequest(t *testing.T) {
	running := []record{begin(1, responder, keep), params(1, "")}
	for _, tt := range []struct {
		name     string
		commands func(*sender)
		want     []record
	}{
		{
			"A37 without output",
			func(s *sender) { s.end(1, 0, protocol.StatusRequestComplete) },
			[]record{stdout(1, ""), end(1, 0, 0)},
		},
		{
			"A37 with output, A36 status 938",
			func(s *sender) {
				s.stream(protocol.TypeStdout, 1, "out")
				s.end(1, 938, protocol.StatusRequestComplete)
			},
			[]record{stdout(1, "out"), stdout(1, ""), end(1, 938, 0)},
		},
		{
			"A37 STDOUT already ended",
			func(s *sender) {
				s.stream(protocol.TypeStdout, 1, "out")
				s.stream(protocol.TypeStdout, 1, "")
				s.end(1, 0, protocol.StatusRequestComplete)
			},
			[]record{stdout(1, "out"), stdout(1, ""), end(1, 0, 0)},
		},
		{
			"A38 with STDERR between",
			func(s *sender) {
				s.stream(protocol.TypeStdout, 1, "o1")
				s.stream(protocol.TypeStderr, 1, "e1")
				s.stream(protocol.TypeStdout, 1, "o2")
				s.end(1, 0, protocol.StatusRequestComplete)
			},
			[]record{stdout(1, "o1"), stderr(1, "e1"), stdout(1, "o2"), stderr(1, ""), stdout(1, ""), end(1, 0, 0)},
		},
		{
			"A38 STDERR already ended, STDOUT goes on",
			func(s *sender) {
				s.stream(protocol.TypeStderr, 1, "e1")
				s.stream(protocol.TypeStderr, 1, "")
				s.stream(protocol.TypeStdout, 1, "o1")
				s.end(1, 0, protocol.StatusRequestComplete)
			},
			[]record{stderr(1, "e1"), stderr(1, ""), stdout(1, "o1"), stdout(1, ""), end(1, 0, 0)},
		},
		{
			"A37 an empty write ends nothing",
			func(s *sender) {
				s.sent(s.Send(s.out, protocol.TypeStdout, 1, nil))
				s.sent(s.Send(s.out, protocol.TypeStderr, 1, []byte{}))
				s.stream(protocol.TypeStdout, 1, "out")
				s.end(1, 0, protocol.StatusRequestComplete)
			},
			[]record{stdout(1, "out"), stdout(1, ""), end(1, 0, 0)},
		},
		{
			"A35 refused: only END_REQUEST",
			func(s *sender) { s.end(1, 0, protocol.StatusOverloaded) },
			[]record{end(1, 0, protocol.StatusOverloaded)},
		},
		{
			"A36 status 0xffffffff",
			func(s *sender) { s.end(1, 0xffffffff, protocol.StatusRequestComplete) },
			[]record{stdout(1, ""), end(1, 0xffffffff, 0)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := answer(t, running, tt.commands)
			if want := wire(tt.want...); !bytes.Equal(s.out, want) {
				t.Errorf("sent\n%q\nwant\n%q", s.out, want)
			}
			if s.Active() != 0 {
				t.Error("the request is still active")
			}
		})
	}
}

// A31: once the application has ended its output, ABORT_REQUEST still reaches it, because it may be waiting for input
// that will not come; the web server still gets one end.
func TestAbortAfterStdoutEnd(t *testing.T) {
	s := answer(t, []record{begin(1, responder, keep), params(1, "")}, func(s *sender) {
		s.stream(protocol.TypeStdout, 1, "")
	})
	var tr transcript
	tr.feed(t, s.Conn, wire(abort(1), abort(1)))
	s.end(1, 0, protocol.StatusRequestComplete)
	tr.feed(t, s.Conn, wire(abort(1)))
	if got := tr.done(); !slices.Equal(got, []string{"ABORT_REQUEST 1"}) {
		t.Errorf("got %q", got)
	}
	if got := s.TakeReplies(s.out); !bytes.Equal(got, wire(stdout(1, ""), end(1, 0, 0))) {
		t.Errorf("sent %q", got)
	}
}

// A10, A32: after its end an id means nothing until it begins again, and then nothing is left of what it was (A11).
func TestReuse(t *testing.T) {
	config := &protocol.Config{MaxParams: 8, MaxPairs: 2}
	s := &sender{Conn: protocol.NewConn(protocol.Application, config), t: t}
	var tr transcript
	tr.feed(t, s.Conn, wire(begin(1, responder, keep), params(1, nv("a", "b")+nv("", "")+"\x80"))) // a length is half read
	s.Attach(1, "first")
	s.stream(protocol.TypeStderr, 1, "e")
	s.stream(protocol.TypeStdout, 1, "")
	s.end(1, 0, protocol.StatusRequestComplete)
	tr.feed(t, s.Conn, wire(params(1, "late"), params(1, ""), stdin(1, "late"), stdin(1, ""), data(1, "late"), abort(1)))

	s.out = nil
	tr.react = func(ev protocol.Event, err error) {
		if ev.User != nil {
			t.Errorf("%v carries %v of the first request", ev.Type, ev.User)
		}
	}
	tr.feed(t, s.Conn, wire(begin(1, authorizer, keep), params(1, nv("c", "d")+nv("", "")), params(1, "")))
	s.stream(protocol.TypeStdout, 1, "o")
	s.end(1, 0, protocol.StatusRequestComplete)

	want := []string{
		"BEGIN_REQUEST 1 RESPONDER keep", `PARAMS 1 "\x01\x01ab\x00\x00\x80"`,
		"BEGIN_REQUEST 1 AUTHORIZER keep", `PARAMS 1 "\x01\x01cd\x00\x00"`, "PARAMS 1 end",
	}
	if got := tr.done(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := wire(stdout(1, "o"), stdout(1, ""), end(1, 0, 0)); !bytes.Equal(s.out, want) {
		t.Errorf("sent %q, want %q", s.out, want)
	}
	if s.HasReplies() {
		t.Errorf("replied %q", s.TakeReplies(nil))
	}
}

// A39: a request may be answered as soon as its parameters are complete, and without its body.
func TestAnswerBeforeStdin(t *testing.T) {
	s := answer(t, []record{begin(1, responder, keep), params(1, "")}, func(s *sender) {
		s.stream(protocol.TypeStdout, 1, "done")
		s.end(1, 0, protocol.StatusRequestComplete)
	})
	var tr transcript
	tr.feed(t, s.Conn, wire(stdin(1, "unread"), stdin(1, "")))
	if got := tr.done(); len(got) > 0 || s.HasReplies() {
		t.Errorf("the unread body gave %q", got)
	}
}

// A29, A30: whether the application closes the connection, and when.
func TestKeepConn(t *testing.T) {
	for _, tt := range []struct {
		name       string
		records    []record
		commands   func(*sender)
		keep, done bool
	}{
		{"A29 nothing yet", nil, nil, true, false},
		{"A29 kept and ended", []record{begin(1, responder, keep)}, endOne, true, false},
		{"A29 not kept, active", []record{begin(1, responder, 0)}, nil, false, false},
		{"A29 not kept, ended", []record{begin(1, responder, 0)}, endOne, false, true},
		{"A29 flag bits 1 to 7 alone", []record{begin(1, responder, 0xfe)}, endOne, false, true},
		{"A30 not kept, another active", []record{begin(2, responder, keep), begin(1, responder, 0)}, endOne, false, false},
		{"A30 not kept, then the other ended too", []record{begin(1, responder, keep), begin(2, responder, 0), abort(2)}, endOne, false, true},
		{"A35 not kept and refused", []record{begin(1, 99, 0)}, nil, false, true},
		{"A31 not kept and aborted at once", []record{begin(1, responder, 0), abort(1)}, nil, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := answer(t, tt.records, func(s *sender) {
				if tt.commands != nil {
					tt.commands(s)
				}
			})
			if s.KeepConn() != tt.keep || s.Done() != tt.done {
				t.Errorf("KeepConn %v, Done %v", s.KeepConn(), s.Done())
			}
			s.Reset(protocol.Application, nil)
			if !s.KeepConn() || s.Done() || s.Active() != 0 || !s.Idle() || s.HasReplies() {
				t.Error("Reset left something of the connection before")
			}
		})
	}
}

func endOne(s *sender) { s.end(1, 0, protocol.StatusRequestComplete) }

// Complete follows the web server's side of a request to its last record.
func TestComplete(t *testing.T) {
	for _, tt := range []struct {
		name    string
		records []record
		want    bool
	}{
		{"inactive", nil, false},
		{"begun", []record{begin(1, responder, keep)}, false},
		{"responder at the end of PARAMS", []record{begin(1, responder, keep), params(1, "")}, false},
		{"responder at the end of STDIN", []record{begin(1, responder, keep), params(1, ""), stdin(1, "")}, true},
		{"filter at the end of STDIN", []record{begin(1, filter, keep), params(1, ""), stdin(1, "")}, false},
		{"filter at the end of DATA", []record{begin(1, filter, keep), params(1, ""), stdin(1, ""), data(1, "")}, true},
		// An empty STDIN may follow (lighttpd) or not (Apache): more may be on its way.
		{"authorizer at the end of PARAMS", []record{begin(1, authorizer, keep), params(1, "")}, false},
		{"authorizer at the end of STDIN", []record{begin(1, authorizer, keep), params(1, ""), stdin(1, "")}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := answer(t, tt.records, func(*sender) {}).Complete(1); got != tt.want {
				t.Errorf("Complete is %v", got)
			}
		})
	}
}

// Attach ties a value to one request, and each of its events brings it back.
func TestAttach(t *testing.T) {
	c := protocol.NewConn(protocol.Application, nil)
	if c.Attach(1, "nothing") {
		t.Error("an inactive request took a value")
	}
	seen := map[string]int{}
	tr := transcript{react: func(ev protocol.Event, err error) {
		if ev.Type == protocol.TypeBeginRequest {
			if ev.User != nil || !c.Attach(ev.RequestID, ev.RequestID) {
				t.Errorf("request %d: %v", ev.RequestID, ev.User)
			}
			return
		}
		if ev.User != ev.RequestID {
			t.Errorf("%v of request %d carries %v", ev.Type, ev.RequestID, ev.User)
		}
		seen[ev.Type.String()]++
	}}
	tr.feed(t, c, wire(
		begin(7, filter, keep), begin(8, responder, keep), params(7, nv("a", "b")), params(7, ""), params(8, nv("a", "\x00")),
		stdin(7, "x"), data(7, ""), stdin(7, ""), data(7, "x"), data(7, ""), abort(7),
	))
	for _, kind := range []string{"PARAMS", "STDIN", "DATA", "ABORT_REQUEST"} {
		if seen[kind] == 0 {
			t.Errorf("no event of %s", kind)
		}
	}
}
