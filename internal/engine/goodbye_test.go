package engine

import (
	"bytes"
	"slices"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// W23: a goodbye is in one write with the end of its request, however much room the last segment has left: behind it,
// nginx might have begun another request already.
func TestGoodbyeInOneSegment(t *testing.T) {
	end := protocol.EndRequest{AppStatus: 1}
	want := protocol.AppendEndRequest(protocol.AppendStreamEnd(nil, protocol.TypeStdout, 1), 1, end)
	want = protocol.AppendStreamEnd(want, protocol.TypeStderr, 1)
	for left := range 8 * protocol.HeaderLen {
		pc := protocol.NewConn(protocol.Application, nil)
		if _, _, err := pc.Next(protocol.AppendBeginRequest(nil, 1, protocol.BeginRequest{Role: protocol.RoleResponder})); err != nil {
			t.Fatal(err)
		}
		var o output
		if err := o.append(pc, protocol.TypeStdout, 1, make([]byte, segmentSize-protocol.HeaderLen-left)); err != nil {
			t.Fatal(err)
		}
		if err := o.end(pc, 1, end, recordGoodbye); err != nil {
			t.Fatal(err)
		}
		if last := o.last().buf; !bytes.HasSuffix(last, want) {
			t.Errorf("with %d bytes left the last segment ends with % x", left, last[max(0, len(last)-len(want)):])
		}
		o.drop()
	}
}

// W23: the end of a connection reaches the web server with its last answer, as far as that can be done, and each web
// server's own goodbye is in that answer; while the server goes on, there is none of it.
func TestLastAnswer(t *testing.T) {
	answer := protocol.AppendStream(nil, protocol.TypeStdout, 1, []byte("Status: 204\r\n\r\n"))
	answer = protocol.AppendStreamEnd(answer, protocol.TypeStdout, 1)
	complete := protocol.AppendEndRequest(slices.Clone(answer), 1, protocol.EndRequest{})
	record := protocol.AppendStreamEnd(nil, protocol.TypeStderr, 1)
	for name, test := range map[string]struct {
		software   string
		idle, last []byte // what is sent when the server shuts down, and as the last answer
	}{
		"nginx":      {"nginx/1.22.1", record, slices.Concat(complete, record)},
		"HAProxy":    {"HAProxy 2.6.12", record, protocol.AppendEndRequest(slices.Clone(answer), 1, protocol.EndRequest{Status: protocol.StatusOverloaded})},
		"Apache":     {"Apache/2.4.71 (Debian)", nil, complete},
		"unknown":    {"", nil, complete},
		"like nginx": {"nginxen/1", nil, complete},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, Config{})
			begun, whole := request()
			params := protocol.AppendStream(nil, protocol.TypeParams, 1, protocol.AppendPair(nil, "SERVER_SOFTWARE", test.software))
			ask := func() []byte {
				s.sock.sent, s.sock.calls = nil, nil
				s.receive(begun, params, whole, protocol.AppendStreamEnd(nil, protocol.TypeStdin, 1))
				if _, err := s.ref.TryWrite(protocol.TypeStdout, []byte("Status: 204\r\n\r\n")); err != nil {
					t.Error(err)
				}
				s.ref.Finish(0)
				s.sock.runPosts()
				return s.sock.sent
			}
			if got := ask(); !bytes.Equal(got, complete) {
				t.Errorf("an answer is % x", got)
			}
			s.sock.sent = nil
			s.e.BeginDrain()
			if got := s.sock.sent; !bytes.Equal(got, test.idle) {
				t.Errorf("an idle connection is sent % x", got)
			}
			if got := ask(); !bytes.Equal(got, test.last) {
				t.Errorf("the last answer is % x", got)
			}
			if want := []string{"cork", "send", "close write", "close"}; !slices.Equal(s.sock.calls, want) {
				t.Errorf("the socket is told to %q", s.sock.calls)
			}
		})
	}
}

// W23: a goodbye comes behind all of an answer that is still being sent when the server shuts down.
func TestGoodbyeBehindAnswer(t *testing.T) {
	s := newStage(t, Config{})
	begun, whole := request()
	s.receive(begun, protocol.AppendStream(nil, protocol.TypeParams, 1, protocol.AppendPair(nil, "SERVER_SOFTWARE", "nginx/1.22.1")),
		whole, protocol.AppendStreamEnd(nil, protocol.TypeStdin, 1))
	s.sock.slow = true
	for range 2 { // the second is not sent before the first has arrived
		if _, err := s.ref.TryWrite(protocol.TypeStdout, make([]byte, segmentSize-100)); err != nil {
			t.Fatal(err)
		}
		s.ref.Flush()
	}
	s.ref.Finish(0)
	s.sock.runPosts()
	s.e.BeginDrain()
	for range 5 {
		s.sock.runPosts()
		s.conn.Sent(nil)
	}
	end := protocol.AppendEndRequest(protocol.AppendStreamEnd(nil, protocol.TypeStdout, 1), 1, protocol.EndRequest{})
	if want := protocol.AppendStreamEnd(end, protocol.TypeStderr, 1); !bytes.HasSuffix(s.sock.sent, want) {
		t.Errorf("the answer ends with % x", s.sock.sent[len(s.sock.sent)-len(want):])
	}
	if n := bytes.Count(s.sock.sent, protocol.AppendStreamEnd(nil, protocol.TypeStderr, 1)); n != 1 {
		t.Errorf("%d goodbyes were sent", n)
	}
}

// W23: HAProxy gives up whatever it still expects on a connection where it is told OVERLOADED, so where requests share
// one it is not told.
func TestNoGoodbyeAmongOthers(t *testing.T) {
	s := newStage(t, Config{})
	params := protocol.AppendPair(nil, "SERVER_SOFTWARE", "HAProxy 2.6.12")
	var refs []Ref
	for id := uint16(1); id <= 2; id++ {
		s.receive(protocol.AppendBeginRequest(nil, id, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn}),
			protocol.AppendStream(nil, protocol.TypeParams, id, params), protocol.AppendStreamEnd(nil, protocol.TypeParams, id),
			protocol.AppendStreamEnd(nil, protocol.TypeStdin, id))
		refs = append(refs, s.ref)
	}
	s.e.BeginDrain()
	for _, r := range refs {
		if _, err := r.TryWrite(protocol.TypeStdout, []byte("Status: 204\r\n\r\n")); err != nil {
			t.Error(err)
		}
		r.Finish(0)
		s.sock.runPosts()
		if end := protocol.AppendEndRequest(nil, r.ID(), protocol.EndRequest{}); len(s.sock.sent) < len(end) ||
			!bytes.Equal(s.sock.sent[len(s.sock.sent)-8:], end[len(end)-8:]) {
			t.Errorf("the answer ends with % x", s.sock.sent)
		}
	}
}
