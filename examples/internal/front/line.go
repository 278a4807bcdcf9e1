package front

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Line is a connection that is shared by many requests, as those of a web server that multiplexes are. A goroutine reads
// it, unless Hold has it wait.
type Line struct {
	conn  net.Conn
	ended chan struct{} // the reader has

	mu       sync.Mutex
	changed  sync.Cond // something of what follows has
	proto    *protocol.Conn
	visitors map[uint16]*Visitor
	held     bool // between Hold and Resume
	closed   bool
}

// A Visitor is one request on a Line.
type Visitor struct {
	line *Line
	id   uint16
	// Guarded by line.mu.
	stdout strings.Builder
	ended  bool
}

// Share connects to the application until the end of the test.
func (f *Front) Share(t testing.TB) *Line {
	t.Helper()
	c, err := net.Dial("unix", f.Path)
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{
		conn: c, proto: protocol.NewConn(protocol.WebServer, nil),
		ended: make(chan struct{}), visitors: make(map[uint16]*Visitor),
	}
	l.changed.L = &l.mu
	go l.read()
	t.Cleanup(func() {
		l.Close()
		<-l.ended
	})
	return l
}

// Close closes the connection, and with it all requests.
func (l *Line) Close() {
	l.set(func() { l.closed = true })
	l.conn.Close()
}

// Hold stops the reading, as a web server does whose clients are slow.
func (l *Line) Hold() { l.set(func() { l.held = true }) }

// Resume ends Hold.
func (l *Line) Resume() { l.set(func() { l.held = false }) }

func (l *Line) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.changed.Broadcast()
}

// Begin sends a request with a body.
func (l *Line) Begin(t testing.TB, body string, params ...fastcgi.Pair) *Visitor {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &Visitor{line: l, id: uint16(len(l.visitors) + 1)}
	l.visitors[v.id] = v
	b, err := l.proto.Begin(nil, v.id, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
	var block []byte
	for _, p := range params {
		block = protocol.AppendPair(block, p.Name, p.Value)
	}
	for _, s := range []struct {
		of      protocol.RecordType
		content []byte
	}{{protocol.TypeParams, block}, {protocol.TypeStdin, []byte(body)}} {
		if err == nil && len(s.content) > 0 {
			b, err = l.proto.Send(b, s.of, v.id, s.content)
		}
		if err == nil {
			b, err = l.proto.SendEnd(b, s.of, v.id)
		}
	}
	l.send(t, b, err)
	return v
}

func (l *Line) send(t testing.TB, b []byte, err error) {
	t.Helper()
	if err == nil {
		_, err = l.conn.Write(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Abort aborts the request (§5.4).
func (v *Visitor) Abort(t testing.TB) {
	t.Helper()
	v.line.mu.Lock()
	defer v.line.mu.Unlock()
	b, err := v.line.proto.Abort(nil, v.id)
	v.line.send(t, b, err)
}

// Await waits until the application has sent a text, and returns all that it has sent on STDOUT.
func (v *Visitor) Await(t testing.TB, text string) string {
	t.Helper()
	return v.await(t, func() bool { return strings.Contains(v.stdout.String(), text) })
}

// AwaitEnd waits for the end of the request, and returns what the application sent on STDOUT.
func (v *Visitor) AwaitEnd(t testing.TB) string {
	t.Helper()
	return v.await(t, func() bool { return v.ended })
}

func (v *Visitor) await(t testing.TB, happened func() bool) string {
	t.Helper()
	v.line.mu.Lock()
	defer v.line.mu.Unlock()
	for !happened() {
		if v.line.closed {
			t.Fatalf("the connection ended; request %d had %.500q", v.id, v.stdout.String())
		}
		v.line.changed.Wait()
	}
	return v.stdout.String()
}

func (l *Line) read() {
	defer close(l.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := l.conn.Read(buf)
		if !l.take(buf[:n]) {
			return
		}
		if err != nil {
			l.set(func() { l.closed = true })
			return
		}
	}
}

// take notes what arrived, once it may, and reports whether more can arrive.
func (l *Line) take(p []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.changed.Broadcast()
	for l.held && !l.closed {
		l.changed.Wait()
	}
	for len(p) > 0 && !l.closed {
		ev, rest, err := l.proto.Next(p)
		p, l.closed = rest, err != nil
		v := l.visitors[ev.RequestID]
		switch {
		case v == nil:
		case ev.Type == protocol.TypeStdout:
			v.stdout.Write(ev.Data)
		case ev.Type == protocol.TypeEndRequest:
			v.ended = true
		}
	}
	return !l.closed
}
