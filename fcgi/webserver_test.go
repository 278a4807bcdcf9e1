package fcgi_test

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A web is a web server's end of a connection in a bubble. It sends what it is told to and takes whatever comes, without
// a judgement: that is the tests' part.
type web struct {
	net.Conn
	outbox chan []byte
	opened time.Time

	mu       sync.Mutex
	received []byte
	closed   time.Duration // when the application closed the connection, after opened; 0 if it has not
}

func newWeb(t *testing.T, conn net.Conn) *web {
	w := &web{Conn: conn, outbox: make(chan []byte, 100), opened: time.Now()}
	go w.writeLoop()
	go w.readLoop()
	t.Cleanup(func() {
		conn.Close()
		close(w.outbox)
	})
	return w
}

// writeLoop lets a test go on while the application does not read.
func (w *web) writeLoop() {
	for b := range w.outbox {
		// What fails to arrive shows in what comes back.
		_, _ = w.Write(b)
	}
}

func (w *web) readLoop() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.Read(buf)
		w.mu.Lock()
		w.received = append(w.received, buf[:n]...)
		if err != nil {
			w.closed = max(time.Since(w.opened), 1)
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
}

// send sends records, and returns when all that comes of it has happened.
func (w *web) send(parts ...[]byte) {
	w.outbox <- slices.Concat(parts...)
	synctest.Wait()
}

// A record is what came in one.
type record struct {
	protocol.Header
	content string
}

// records are all that came so far, complete.
func (w *web) records() (all []record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := w.received; len(b) >= protocol.HeaderLen; {
		h := protocol.ParseHeader(b)
		size := protocol.HeaderLen + int(h.ContentLength) + int(h.PaddingLength)
		if len(b) < size {
			break
		}
		all = append(all, record{h, string(b[protocol.HeaderLen:][:h.ContentLength])})
		b = b[size:]
	}
	return all
}

// gone returns after what time the application closed the connection, 0 if it has not.
func (w *web) gone() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// An answer is what came for one request.
type answer struct {
	stdout, stderr string
	ends           []protocol.EndRequest
}

// answer returns what came for a request so far.
func (w *web) answer(id uint16) (a answer) {
	for _, r := range w.records() {
		switch {
		case r.RequestID != id:
		case r.Type == protocol.TypeStdout:
			a.stdout += r.content
		case r.Type == protocol.TypeStderr:
			a.stderr += r.content
		case r.Type == protocol.TypeEndRequest:
			end, err := protocol.ParseEndRequest([]byte(r.content))
			if err == nil {
				a.ends = append(a.ends, end)
			}
		}
	}
	return a
}

// status is the code and the text of the CGI response, empty if there is none.
func (a answer) status() string {
	if status := a.field("Status"); len(status) > 0 {
		return status[0]
	}
	return ""
}

// field returns the values of a header field, and body the rest.
func (a answer) field(name string) (values []string) {
	header, _, _ := strings.Cut(a.stdout, "\r\n\r\n")
	for line := range strings.SplitSeq(header, "\r\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			values = append(values, value)
		}
	}
	return values
}

func (a answer) body() string {
	_, body, _ := strings.Cut(a.stdout, "\r\n\r\n")
	return body
}

// The records that a web server sends.

func begin(id uint16, role protocol.Role, flags uint8) []byte {
	return protocol.AppendBeginRequest(nil, id, protocol.BeginRequest{Role: role, Flags: flags})
}

// params is a request's whole PARAMS: those of a plain GET, and then pairs, of which the last of a name counts.
func params(id uint16, pairs ...string) []byte {
	plain := []string{"REQUEST_METHOD", "GET", "SERVER_PROTOCOL", "HTTP/1.1", "REQUEST_URI", "/", "HTTP_HOST", "example.com"}
	var block []byte
	for pair := range slices.Chunk(append(plain, pairs...), 2) {
		block = protocol.AppendPair(block, pair[0], pair[1])
	}
	return stream(protocol.TypeParams, id, string(block), "")
}

// stream is pieces of a stream in records of their own. The empty piece is its end.
func stream(typ protocol.RecordType, id uint16, pieces ...string) (b []byte) {
	for _, p := range pieces {
		if p == "" {
			b = protocol.AppendStreamEnd(b, typ, id)
		}
		b = protocol.AppendStream(b, typ, id, []byte(p))
	}
	return b
}

func stdin(id uint16, pieces ...string) []byte { return stream(protocol.TypeStdin, id, pieces...) }

func abort(id uint16) []byte { return protocol.AppendRecord(nil, protocol.TypeAbortRequest, id, nil) }

const keep = protocol.FlagKeepConn

// open is a request without its body, on a connection to keep.
func open(id uint16, pairs ...string) []byte {
	return slices.Concat(begin(id, protocol.RoleResponder, keep), params(id, pairs...))
}

// get is a whole request without a body.
func get(id uint16, pairs ...string) []byte { return slices.Concat(open(id, pairs...), stdin(id, "")) }
