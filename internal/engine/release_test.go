package engine

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A stage is a connection with one request on it, as the web server's end and the handler see it.
type stage struct {
	t    *testing.T
	e    *Engine
	sock *fakeSocket
	conn driver.Conn
	ref  Ref // of the request, once a handler has it
}

func newStage(t *testing.T, config Config) *stage {
	s := &stage{t: t, sock: new(fakeSocket)}
	config.Log = slog.New(slog.DiscardHandler)
	config.BaseContext = t.Context()
	config.ErrorPage = func(int) []byte { return []byte("Status: 500\r\n\r\n") }
	config.MemoryLimit, config.SpoolLimit, config.StdinBuffer = 1<<20, 1<<20, 1<<10
	config.Protocol.Roles = []protocol.Role{protocol.RoleResponder}
	config.Handlers[protocol.RoleResponder].Async = func(r Ref) { s.ref = r }
	s.e = New(config)
	s.conn = s.e.Accept(s.sock)
	return s
}

func (s *stage) receive(records ...[]byte) {
	for _, r := range records {
		s.conn.Receive(r, driver.Now())
	}
	s.sock.runPosts()
}

// request returns the records of a request up to its parameters, and what ends these.
func request() (begun, whole []byte) {
	begun = protocol.AppendBeginRequest(nil, 1, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
	return begun, protocol.AppendStreamEnd(nil, protocol.TypeParams, 1)
}

func abortRecord() []byte { return protocol.AppendRecord(nil, protocol.TypeAbortRequest, 1, nil) }

// Whatever ends a request, it is released exactly once, and gives up its place, its memory and its id.
func TestReleasedOnce(t *testing.T) {
	errGone := errors.New("gone")
	const (
		receiving = iota
		queued
		running
	)
	for name, test := range map[string]struct {
		from   int
		finish bool // whether the handler has to give the request back as well
		end    func(s *stage)
	}{
		"answered":             {running, false, func(s *stage) { s.ref.Finish(0) }},
		"abort in parameters":  {receiving, false, func(s *stage) { s.receive(abortRecord()) }},
		"abort in the queue":   {queued, false, func(s *stage) { s.receive(abortRecord()) }},
		"abort":                {running, true, func(s *stage) { s.receive(abortRecord()) }},
		"lost in parameters":   {receiving, false, func(s *stage) { s.conn.ReceiveEnd(io.EOF) }},
		"lost in the queue":    {queued, false, func(s *stage) { s.conn.ReceiveEnd(io.EOF) }},
		"half-closed":          {running, true, func(s *stage) { s.conn.ReceiveEnd(io.EOF) }},
		"lost":                 {running, true, func(s *stage) { s.conn.ReceiveEnd(errGone) }},
		"not sent":             {running, true, func(s *stage) { s.conn.Sent(errGone) }},
		"killed in parameters": {receiving, false, func(s *stage) { s.e.Kill(errGone) }},
		"killed in the queue":  {queued, false, func(s *stage) { s.e.Kill(errGone) }},
		"killed":               {running, true, func(s *stage) { s.e.Kill(errGone) }},
		"violation":            {running, true, func(s *stage) { s.receive([]byte{9, 9, 9, 9, 9, 9, 9, 9}) }},
		"panic":                {running, false, func(s *stage) { s.ref.panicked("reason", nil) }},
		"panic on the loop": {running, false, func(s *stage) {
			s.ref.Loop().Post(func() { panic("reason") })
			s.sock.runPosts()
		}},
		"body too short": {running, false, func(s *stage) {
			s.ref.OnBody(func([]byte, bool) {})
			s.receive(protocol.AppendStreamEnd(nil, protocol.TypeStdin, 1))
		}},
		"stream": {running, false, func(s *stage) {
			s.ref.Stream(new(oneByte))
			s.ref.Finish(0)
			s.sock.runPosts()
		}},
		"loss of a stream": {running, false, func(s *stage) {
			s.ref.Stream(new(oneByte))
			s.ref.Finish(0)
			s.conn.ReceiveEnd(errGone)
		}},
		"loss, then a stream": {running, false, func(s *stage) {
			s.ref.Stream(new(oneByte))
			s.conn.ReceiveEnd(errGone)
			s.ref.Finish(0)
		}},
		"kill of a stream": {running, false, func(s *stage) {
			s.ref.Stream(new(oneByte))
			s.ref.Finish(0)
			s.e.Kill(errGone)
		}},
		"abort of a stream": {running, false, func(s *stage) {
			s.ref.Stream(new(oneByte))
			s.ref.Finish(0)
			s.receive(abortRecord())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{}
			if test.from == queued {
				config.MaxConcurrency = 1
			}
			s := newStage(t, config)
			if test.from == queued {
				s.e.limiter.running.Add(1) // somebody has the only place
			}
			begun, whole := request()
			s.receive(begun, protocol.AppendStream(nil, protocol.TypeParams, 1, protocol.AppendPair(nil, "CONTENT_LENGTH", "9")))
			c := s.conn.(*conn)
			x := c.active[0]
			gen := x.gen.Load()
			if test.from > receiving {
				s.receive(whole)
			}
			test.end(s)
			s.sock.runPosts()
			if released := x.gen.Load() != gen; released == test.finish {
				t.Fatalf("released %v before the handler gave it back", released)
			}
			if test.finish {
				if err := s.ref.Finish(0); err != nil {
					t.Errorf("Finish returned %v", err)
				}
			}
			s.sock.runPosts()
			if n := x.gen.Load() - gen; n != 1 {
				t.Errorf("it was released %d times", n)
			}
			if err := s.ref.Finish(0); err != ErrFinished {
				t.Errorf("Finish once more returned %v", err)
			}
			if test.from == queued {
				s.e.limiter.release()
			}
			if stats := s.e.Stats(); stats.ActiveRequests != 0 || stats.BufferedBytes != 0 || len(c.active) != 0 {
				t.Errorf("left: %+v, %d active", stats, len(c.active))
			}
		})
	}
}

// W15: what a request itself takes is drawn for the second on a connection, and given back whatever ends it.
func TestOwnMemoryGivenBack(t *testing.T) {
	for name, end := range map[string]func(s *stage, second Ref){
		"answered": func(_ *stage, second Ref) { second.Finish(0) },
		"panic":    func(_ *stage, second Ref) { second.panicked("reason", nil) },
		"abort": func(s *stage, second Ref) {
			s.receive(protocol.AppendRecord(nil, protocol.TypeAbortRequest, 2, nil))
			second.Finish(0)
		},
		"killed": func(s *stage, second Ref) {
			s.e.Kill(io.EOF)
			second.Finish(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{}
			config.Handlers[protocol.RoleResponder].Memory = 1000
			s := newStage(t, config)
			begun, whole := request()
			s.receive(begun, whole)
			first := s.ref
			s.receive(protocol.AppendBeginRequest(nil, 2, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn}),
				protocol.AppendStreamEnd(nil, protocol.TypeParams, 2))
			if used := s.e.memory.shared.Used(); used != 1000 {
				t.Errorf("%d bytes are drawn for two requests", used)
			}
			end(s, s.ref)
			first.Finish(0)
			s.sock.runPosts()
			if used := s.e.memory.shared.Used(); used != 0 {
				t.Errorf("%d bytes were not given back", used)
			}
		})
	}
}

// A oneByte is a stream of one byte.
type oneByte struct{ done bool }

func (s *oneByte) Next() ([]byte, error) {
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	return []byte("x"), nil
}

func (s *oneByte) Close() {}
