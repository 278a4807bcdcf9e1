package front

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Conn is a connection to the application that a test speaks the protocol on
// by itself, for what package client does not do. It has one request.
type Conn struct {
	net.Conn
	proto *protocol.Conn
}

const requestID = 1

// Dial connects to the application until the end of the test.
func (f *Front) Dial(t testing.TB) *Conn {
	t.Helper()
	c, err := net.Dial("unix", f.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &Conn{c, protocol.NewConn(protocol.WebServer, nil)}
}

// Begin sends what Get does but for the end of the body, which stays away.
func (c *Conn) Begin(t testing.TB, query string) {
	t.Helper()
	b, err := c.proto.Begin(nil, requestID, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
	var params []byte
	for _, p := range Get(query).Params {
		params = protocol.AppendPair(params, p.Name, p.Value)
	}
	c.say(t, b, err)
	b, err = c.proto.Send(nil, protocol.TypeParams, requestID, params)
	c.say(t, b, err)
	b, err = c.proto.SendEnd(nil, protocol.TypeParams, requestID)
	c.say(t, b, err)
}

// SendBody sends a body and closes this half of the connection, while the test
// reads. The channel has the error, or nil.
func (c *Conn) SendBody(t testing.TB, body string) <-chan error {
	t.Helper()
	b, err := c.proto.Send(nil, protocol.TypeStdin, requestID, []byte(body))
	if err == nil {
		b, err = c.proto.SendEnd(b, protocol.TypeStdin, requestID)
	}
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(b)
		sent <- errors.Join(err, c.Conn.(*net.UnixConn).CloseWrite())
	}()
	return sent
}

// Abort aborts the request (§5.4).
func (c *Conn) Abort(t testing.TB) {
	t.Helper()
	b, err := c.proto.Abort(nil, requestID)
	c.say(t, b, err)
}

func (c *Conn) say(t testing.TB, b []byte, err error) {
	t.Helper()
	if err == nil {
		_, err = c.Write(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// AwaitEnd reads up to END_REQUEST, the end of the request (§5.5), and returns
// what came on STDOUT before.
func (c *Conn) AwaitEnd(t testing.TB) (stdout string, end protocol.EndRequest) {
	t.Helper()
	var out strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("there is no END_REQUEST: %v", err)
		}
		for p := buf[:n]; len(p) > 0; {
			var ev protocol.Event
			if ev, p, err = c.proto.Next(p); err != nil {
				t.Fatal(err)
			}
			switch ev.Type {
			case protocol.TypeStdout:
				out.Write(ev.Data)
			case protocol.TypeEndRequest:
				return out.String(), protocol.EndRequest{AppStatus: ev.AppStatus, Status: ev.Status}
			}
		}
	}
}
