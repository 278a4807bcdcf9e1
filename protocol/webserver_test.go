package protocol_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Responses as a web server's end reads them.
var responses = []conversation{
	{
		name:   "C6 STDOUT and STDERR in turns",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire: []record{
			stderr(1, "e1"), stdout(1, "Content-Ty"), stderr(1, "e2"), stdout(1, "pe: a/b\r\n\r\nbody"),
			stderr(1, ""), stdout(1, ""), end(1, 938, 0),
		},
		send: func(s *sender) {
			s.stream(protocol.TypeStderr, 1, "e1")
			s.stream(protocol.TypeStdout, 1, "Content-Ty")
			s.stream(protocol.TypeStderr, 1, "e2")
			s.stream(protocol.TypeStdout, 1, "pe: a/b\r\n\r\nbody")
			s.end(1, 938, protocol.StatusRequestComplete)
		},
		want: []string{
			`STDERR 1 "e1"`, `STDOUT 1 "Content-Ty"`, `STDERR 1 "e2"`, `STDOUT 1 "pe: a/b\r\n\r\nbody"`,
			"STDERR 1 end", "STDOUT 1 end", "END_REQUEST 1 938 REQUEST_COMPLETE",
		},
	},
	{
		name:   "C6 a megabyte of STDERR first",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   append(slices.Repeat([]record{stderr(1, full)}, 16), stdout(1, "x"), end(1, 0, 0)),
		want:   []string{piece(protocol.TypeStderr, 1, strings.Repeat(full, 16)), `STDOUT 1 "x"`, "END_REQUEST 1 0 REQUEST_COMPLETE"},
	},
	{
		name:   "C7 no end of STDOUT, as PHP has it",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{stdout(1, "x"), end(1, 0, 0)},
		want:   []string{`STDOUT 1 "x"`, "END_REQUEST 1 0 REQUEST_COMPLETE"},
	},
	{
		name:   "C7 nothing but the end",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{end(1, 0xffffffff, 0)},
		want:   []string{"END_REQUEST 1 4294967295 REQUEST_COMPLETE"},
	},
	{
		name:   "C8 END_REQUEST that is too long",
		reader: protocol.WebServer,
		begun:  []uint16{1, 2},
		wire:   []record{{protocol.TypeEndRequest, 1, end(1, 5, 0).content + "more"}, {protocol.TypeEndRequest, 2, end(2, 6, 0).content + full[:60000]}},
		want:   []string{"END_REQUEST 1 5 REQUEST_COMPLETE", "END_REQUEST 2 6 REQUEST_COMPLETE"},
	},
	{
		name:   "C8 END_REQUEST that is too short",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{{protocol.TypeEndRequest, 1, "\x00\x00\x00\x00\x00\x00\x00"}},
		want:   []string{"connection: END_REQUEST 1 §5.5 content has the wrong length"},
	},
	{
		name:   "C9 records of other requests, and of the other end",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire: []record{
			stdout(2, "x"), stdout(2, ""), stderr(2, "x"), end(2, 0, 0),
			begin(1, responder, 0), begin(2, responder, 0), params(1, "x"), stdin(1, "x"), data(1, "x"), abort(1), abort(2),
			{12, 1, "x"},
			{255, 2, ""},
			stdout(1, "mine"),
		},
		want: []string{`STDOUT 1 "mine"`},
	},
	{
		name:   "C9 STDOUT with id 0",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{stdout(0, "x"), stdout(1, "x")},
		want:   []string{"connection: STDOUT 0 §3.3 application record with request id 0"},
	},
	{
		name:   "C9 STDERR with id 0",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{stderr(0, ""), stdout(1, "x")},
		want:   []string{"connection: STDERR 0 §3.3 application record with request id 0"},
	},
	{
		name:   "C9 END_REQUEST with id 0",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{end(0, 0, 0), end(1, 0, 0)},
		want:   []string{"connection: END_REQUEST 0 §3.3 application record with request id 0"},
	},
	{
		name:   "C10 refusals, and a status of the future",
		reader: protocol.WebServer,
		begun:  []uint16{1, 2, 3, 4},
		wire: []record{
			end(1, 0, protocol.StatusCantMultiplex), end(2, 0, protocol.StatusOverloaded), end(3, 0, protocol.StatusUnknownRole), end(4, 0, 9),
		},
		send: func(s *sender) {
			s.end(1, 0, protocol.StatusCantMultiplex)
			s.end(2, 0, protocol.StatusOverloaded)
			s.end(3, 0, protocol.StatusUnknownRole)
			s.end(4, 0, 9)
		},
		want: []string{
			"END_REQUEST 1 0 CANT_MPX_CONN", "END_REQUEST 2 0 OVERLOADED", "END_REQUEST 3 0 UNKNOWN_ROLE", "END_REQUEST 4 0 Status(9)",
		},
	},
	{
		name:   "C13 records after END_REQUEST",
		reader: protocol.WebServer,
		begun:  []uint16{1},
		wire:   []record{stdout(1, ""), stdout(1, "late"), end(1, 0, 0), stdout(1, "later"), stderr(1, "x"), end(1, 1, 1)},
		want:   []string{"STDOUT 1 end", "END_REQUEST 1 0 REQUEST_COMPLETE"},
	},
	{
		name:   "A9 responses out of the requests' order",
		reader: protocol.WebServer,
		begun:  []uint16{1, 2, 3},
		wire:   []record{stdout(3, "c"), stdout(1, "a"), end(3, 3, 0), stdout(2, "b"), end(1, 1, 0), end(2, 2, 0)},
		want: []string{
			`STDOUT 3 "c"`, `STDOUT 1 "a"`, "END_REQUEST 3 3 REQUEST_COMPLETE", `STDOUT 2 "b"`,
			"END_REQUEST 1 1 REQUEST_COMPLETE", "END_REQUEST 2 2 REQUEST_COMPLETE",
		},
	},
}

func TestResponses(t *testing.T) { run(t, responses) }

// C15: an end that comes before the request was sent whole says so.
func TestEarlyEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		role protocol.Role
		send func(*sender)
		want bool
	}{
		{"C15 responder before the end of PARAMS", responder, func(*sender) {}, false},
		{"C15 responder before the end of STDIN", responder, func(s *sender) { s.stream(protocol.TypeParams, 1, "") }, false},
		{"C15 responder sent whole", responder, func(s *sender) {
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "")
		}, true},
		{"C15 authorizer sent whole", authorizer, func(s *sender) { s.stream(protocol.TypeParams, 1, "") }, true},
		{"C15 filter before the end of DATA", filter, func(s *sender) {
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "")
		}, false},
		{"C12 aborted", responder, func(s *sender) {
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "")
			s.abort(1)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &sender{Conn: protocol.NewConn(protocol.WebServer, nil), t: t}
			s.begin(1, tt.role, keep)
			tt.send(s)
			tr := transcript{react: func(ev protocol.Event, err error) {
				if ev.End != tt.want {
					t.Errorf("%v says %v", ev.Type, ev.End)
				}
			}}
			tr.feed(t, s.Conn, wire(end(1, 0, 0)))
			if s.Active() != 0 || len(tr.done()) != 1 {
				t.Errorf("%d requests active after %q", s.Active(), tr.lines)
			}
		})
	}
}

// C1, C2, C5, A32: what an end refuses to send. A refusal sends nothing and changes nothing.
func TestRefusedCommands(t *testing.T) {
	webServer := func(s *sender) { s.Conn = protocol.NewConn(protocol.WebServer, nil) }
	application := func(s *sender) {
		s.Conn = protocol.NewConn(protocol.Application, nil)
		new(transcript).feed(s.t, s.Conn, wire(begin(1, responder, keep), params(1, "")))
	}
	begun := func(s *sender) {
		webServer(s)
		s.begin(1, responder, keep)
	}
	aborted := func(s *sender) {
		begun(s)
		s.abort(1)
	}
	for _, tt := range []struct {
		name    string
		prepare func(*sender)
		command func(*protocol.Conn, []byte) ([]byte, error)
		want    error
	}{
		{"C5 id that is active", begun, beginID(1), protocol.ErrActiveID},
		{"C5 id that is aborted but not ended", aborted, beginID(1), protocol.ErrActiveID},
		{"id 0", webServer, beginID(0), protocol.ErrNullID},
		{"an application begins", application, beginID(2), protocol.ErrWrongSide},
		{"C1 STDIN before the end of PARAMS", begun, sendOn(protocol.TypeStdin, 1), protocol.ErrUnexpectedState},
		{"C1 the end of STDIN before that of PARAMS", begun, sendEndOn(protocol.TypeStdin, 1), protocol.ErrUnexpectedState},
		{"C1 DATA to a responder", begun, sendOn(protocol.TypeData, 1), protocol.ErrUnexpectedState},
		{"C12 PARAMS after ABORT_REQUEST", aborted, sendOn(protocol.TypeParams, 1), protocol.ErrUnexpectedState},
		{"C12 ABORT_REQUEST twice", aborted, abortID(1), protocol.ErrUnexpectedState},
		{"ABORT_REQUEST of no request", webServer, abortID(1), protocol.ErrInactiveID},
		{"PARAMS of no request", begun, sendOn(protocol.TypeParams, 2), protocol.ErrInactiveID},
		{"a web server sends STDOUT", begun, sendOn(protocol.TypeStdout, 1), protocol.ErrWrongSide},
		{"a web server ends STDERR", begun, sendEndOn(protocol.TypeStderr, 1), protocol.ErrWrongSide},
		{"a web server ends a request", begun, endID(1), protocol.ErrWrongSide},
		{"an application sends STDIN", application, sendOn(protocol.TypeStdin, 1), protocol.ErrWrongSide},
		{"an application aborts", application, abortID(1), protocol.ErrWrongSide},
		{"an application ends no request", application, endID(2), protocol.ErrInactiveID},
		{"STDOUT of no request", application, sendOn(protocol.TypeStdout, 2), protocol.ErrInactiveID},
		{"no stream", begun, sendOn(protocol.TypeBeginRequest, 1), protocol.ErrWrongSide},
		{"an unknown type", application, sendEndOn(200, 1), protocol.ErrWrongSide},
		{"A37 STDOUT after its end", func(s *sender) {
			application(s)
			s.stream(protocol.TypeStdout, 1, "")
		}, sendOn(protocol.TypeStdout, 1), protocol.ErrUnexpectedState},
		{"A32 STDOUT after END_REQUEST", func(s *sender) {
			application(s)
			s.end(1, 0, 0)
		}, sendOn(protocol.TypeStdout, 1), protocol.ErrInactiveID},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &sender{t: t}
			tt.prepare(s)
			active := s.Active()
			out, err := tt.command(s.Conn, []byte("before"))
			var fault *protocol.Error
			if !errors.Is(err, tt.want) || !errors.As(err, &fault) || fault.Scope != protocol.ScopeRequest {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if string(out) != "before" || s.Active() != active {
				t.Errorf("a refused command appended %q, %d requests active", out, s.Active())
			}
		})
	}
}

type command = func(*protocol.Conn, []byte) ([]byte, error)

func beginID(id uint16) command {
	return func(c *protocol.Conn, dst []byte) ([]byte, error) { return c.Begin(dst, id, keepResponder) }
}

func sendOn(t protocol.RecordType, id uint16) command {
	return func(c *protocol.Conn, dst []byte) ([]byte, error) { return c.Send(dst, t, id, []byte("x")) }
}

func sendEndOn(t protocol.RecordType, id uint16) command {
	return func(c *protocol.Conn, dst []byte) ([]byte, error) { return c.SendEnd(dst, t, id) }
}

func abortID(id uint16) command {
	return func(c *protocol.Conn, dst []byte) ([]byte, error) { return c.Abort(dst, id) }
}

func endID(id uint16) command {
	return func(c *protocol.Conn, dst []byte) ([]byte, error) {
		return c.EndRequest(dst, id, protocol.EndRequest{})
	}
}

// A web server may ask for roles that this package does not know, and learns what the application makes of them.
func TestBeginUnknownRole(t *testing.T) {
	for _, role := range []protocol.Role{0, 4, 65535} {
		t.Run(fmt.Sprint("A35 ", role), func(t *testing.T) {
			s := &sender{Conn: protocol.NewConn(protocol.WebServer, nil), t: t}
			s.begin(1, role, 0)
			s.stream(protocol.TypeParams, 1, "")
			s.stream(protocol.TypeStdin, 1, "")
			application := protocol.NewConn(protocol.Application, nil)
			new(transcript).feed(t, application, s.out)
			var tr transcript
			tr.feed(t, s.Conn, application.TakeReplies(nil))
			if got := tr.done(); !slices.Equal(got, []string{"END_REQUEST 1 0 UNKNOWN_ROLE end"}) {
				t.Errorf("got %q", got)
			}
			if !s.Done() || !application.Done() {
				t.Error("not done at both ends")
			}
		})
	}
}

// C7: when the input ends without END_REQUEST, the request is still active, however tidy the last record was.
func TestMissingEnd(t *testing.T) {
	s := &sender{Conn: protocol.NewConn(protocol.WebServer, nil), t: t}
	s.begin(1, responder, 0)
	new(transcript).feed(t, s.Conn, wire(stdout(1, "x"), stdout(1, "")))
	if !s.Idle() || s.Active() != 1 || s.Done() {
		t.Errorf("Idle %v, Active %d, Done %v", s.Idle(), s.Active(), s.Done())
	}
}
