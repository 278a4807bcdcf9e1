// Package fakeapp is a FastCGI application for tests that follows a script, one
// record after another, so that it can do what a real one does only by accident
// or never should.
//
// It sits on package protocol; only tests import it.
package fakeapp

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Conn is a connection that the application accepted. Its methods fail the
// test when the other side closes; what is said after that is said to nobody,
// and the script ends.
type Conn struct {
	net.Conn
	N int // counts connections from 1

	// Begun, if it is not nil, is called by Any with each request whose parameters are complete.
	Begun func(*Request)

	t       testing.TB
	mu      sync.Mutex // for proto: requests may be ended while another goroutine reads
	proto   *protocol.Conn
	pending []byte // read, not yet taken
	buf     []byte

	partials map[uint16]*partial // for Any; made when it is first needed
}

// A Request is a request as it arrived, whole.
type Request struct {
	ID     uint16
	Role   protocol.Role
	Keep   bool
	Params map[string]string
	Stdin  string
	Data   string

	Aborted bool // ABORT_REQUEST came; only Any sets it

	conn *Conn // nil for one that a test made up
}

// Start listens on a Unix socket and runs script for each connection, which it
// closes afterwards. It returns the address, "unix:/path". The end of the test
// waits for the scripts.
func Start(t testing.TB, script func(*Conn)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for n := 1; ; n++ {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { Run(t, nc, n, script) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	return "unix:" + path
}

// Run runs script on a connection that is the n-th, and closes it.
func Run(t testing.TB, nc net.Conn, n int, script func(*Conn)) {
	defer nc.Close()
	c := &Conn{
		Conn:  nc,
		N:     n,
		t:     t,
		proto: protocol.NewConn(protocol.Application, &protocol.Config{MaxParams: 1 << 30, MaxPairs: 1 << 20}),
		buf:   make([]byte, 64<<10),
	}
	script(c)
}

// Next returns the next event, or io.EOF once the other side has closed.
func (c *Conn) Next() (protocol.Event, error) {
	for {
		for len(c.pending) > 0 {
			c.mu.Lock()
			ev, rest, err := c.proto.Next(c.pending)
			c.mu.Unlock()
			c.pending = rest
			if err != nil || ev.Type != 0 {
				return ev, err
			}
		}
		n, err := c.Read(c.buf)
		if n == 0 && err != nil {
			return protocol.Event{}, io.EOF
		}
		c.pending = c.buf[:n]
	}
}

// event returns the next event; false once the other side has closed, or broken a rule, which fails the test.
func (c *Conn) event() (protocol.Event, bool) {
	ev, err := c.Next()
	if err != nil && err != io.EOF {
		c.t.Errorf("application: %v", err)
	}
	return ev, err == nil
}

// newRequest returns the request that BEGIN_REQUEST begins.
func (c *Conn) newRequest(ev protocol.Event) *Request {
	return &Request{ID: ev.RequestID, Role: ev.Role, Keep: ev.KeepConn, Params: make(map[string]string), conn: c}
}

// Begin reads a request up to the end of its parameters. It returns nil once the
// other side has closed.
func (c *Conn) Begin() *Request {
	var r *Request
	var params []byte
	for {
		ev, ok := c.event()
		switch {
		case !ok:
			return nil
		case ev.Type == protocol.TypeBeginRequest:
			r = c.newRequest(ev)
		case ev.Type == protocol.TypeParams && ev.End:
			c.params(r, params)
			return r
		case ev.Type == protocol.TypeParams:
			params = append(params, ev.Data...)
		default:
			c.t.Errorf("application: unexpected %v", ev.Type)
		}
	}
}

func (c *Conn) params(r *Request, b []byte) {
	for len(b) > 0 {
		name, value, rest, err := protocol.CutPair(b)
		if err != nil {
			c.t.Errorf("application: %v", err)
			return
		}
		r.Params[string(name)] = string(value)
		b = rest
	}
}

// Request reads a whole request with its bodies. It returns nil once the other
// side has closed.
func (c *Conn) Request() *Request {
	r := c.Begin()
	if r == nil || r.Role == protocol.RoleAuthorizer {
		return r
	}
	var stdin, data []byte
	last := protocol.TypeStdin
	if r.Role == protocol.RoleFilter {
		last = protocol.TypeData
	}
	for {
		ev, ok := c.event()
		switch {
		case !ok:
			return nil
		case ev.Type == last && ev.End:
			r.Stdin, r.Data = string(stdin), string(data)
			return r
		case ev.Type == protocol.TypeStdin:
			stdin = append(stdin, ev.Data...)
		case ev.Type == protocol.TypeData:
			data = append(data, ev.Data...)
		default:
			c.t.Errorf("application: unexpected %v", ev.Type)
			return nil
		}
	}
}

// Stdout returns s as records of STDOUT.
func (r *Request) Stdout(s string) []byte {
	return protocol.AppendStream(nil, protocol.TypeStdout, r.ID, []byte(s))
}

// Stderr returns s as records of STDERR.
func (r *Request) Stderr(s string) []byte {
	return protocol.AppendStream(nil, protocol.TypeStderr, r.ID, []byte(s))
}

// EndStream returns the empty record that ends a stream.
func (r *Request) EndStream(t protocol.RecordType) []byte {
	return protocol.AppendStreamEnd(nil, t, r.ID)
}

// End returns END_REQUEST. The script says it at once, before it reads on.
func (r *Request) End(appStatus uint32, status protocol.Status) []byte {
	if r.conn != nil {
		// So that the id may come again.
		r.conn.mu.Lock()
		defer r.conn.mu.Unlock()
		r.conn.proto.EndRequest(nil, r.ID, protocol.EndRequest{})
	}
	return protocol.AppendEndRequest(nil, r.ID, protocol.EndRequest{AppStatus: appStatus, Status: status})
}

// Answer returns a whole response: s on STDOUT, its end, END_REQUEST.
func (r *Request) Answer(s string) []byte {
	b := append(r.Stdout(s), r.EndStream(protocol.TypeStdout)...)
	return append(b, r.End(0, protocol.StatusRequestComplete)...)
}

// Padded returns a record with padding of 0xff bytes.
func Padded(t protocol.RecordType, id uint16, content []byte, padding uint8) []byte {
	b := protocol.AppendHeader(nil, protocol.Header{
		Type: t, RequestID: id, ContentLength: uint16(len(content)), PaddingLength: padding,
	})
	b = append(b, content...)
	for range padding {
		b = append(b, 0xff)
	}
	return b
}

// Say writes records in one piece. It reports whether the other side still
// listens.
func (c *Conn) Say(records ...[]byte) bool {
	var b []byte
	for _, r := range records {
		b = append(b, r...)
	}
	_, err := c.Write(b)
	return err == nil
}

// AwaitClose returns once the other side has closed, and says what it found
// before that.
func (c *Conn) AwaitClose() error {
	for {
		ev, err := c.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if ev.Type != protocol.TypeStdin && ev.Type != protocol.TypeData {
			return fmt.Errorf("%v arrived where the connection should have closed", ev.Type)
		}
	}
}
