package fastcgi_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A web is the web server's end of a connection. It sends whatever it is told to, and holds what comes back against the
// rules that every answer keeps:
//
//   - reserved bytes are zero, and records belong to a request that was begun;
//   - STDOUT ends once, before END_REQUEST, and has at least one record, unless the request was aborted (A37);
//   - STDERR, if there is any, ends before END_REQUEST (A38);
//   - a refused request has END_REQUEST alone (A35), and nothing follows END_REQUEST (A32).
//
// Its methods are for the test's goroutine alone.
type web struct {
	net.Conn
	t          testing.TB
	unread     []byte
	open       map[uint16]*answer
	ended      map[uint16][]*answer
	order      []uint16 // of END_REQUEST
	management []string // records with id 0, "10 content"

	takesGoodbyes bool // as nginx does
	goodbyes      int
}

// An answer is what came back for one request.
type answer struct {
	stdout, stderr strings.Builder
	end            protocol.EndRequest
	records        strings.Builder // O, R, their ends o, r, and E
	aborted        bool            // by the test: END_REQUEST may stand alone
}

func newWeb(t testing.TB, conn net.Conn) *web {
	return &web{Conn: conn, t: t, open: map[uint16]*answer{}, ended: map[uint16][]*answer{}}
}

// send sends bytes.
func (w *web) send(parts ...[]byte) {
	w.t.Helper()
	b := bytes.Join(parts, nil)
	w.expects(b)
	if _, err := w.Write(b); err != nil {
		w.t.Fatalf("sending: %v", err)
	}
}

// expects notes which requests b begins and aborts.
func (w *web) expects(b []byte) {
	for len(b) >= protocol.HeaderLen {
		h := protocol.ParseHeader(b)
		a := w.open[h.RequestID]
		switch {
		case h.Type == protocol.TypeBeginRequest && a == nil:
			w.open[h.RequestID] = new(answer)
		case h.Type == protocol.TypeAbortRequest && a != nil:
			a.aborted = true
		}
		b = b[min(len(b), protocol.HeaderLen+int(h.ContentLength)+int(h.PaddingLength)):]
	}
}

// answer reads up to the end of a request.
func (w *web) answer(id uint16) *answer {
	w.t.Helper()
	for len(w.ended[id]) == 0 {
		if err := w.read(); err != nil {
			w.t.Fatalf("waiting for END_REQUEST of request %d: %v", id, err)
		}
	}
	a := w.ended[id][0]
	w.ended[id] = w.ended[id][1:]
	return a
}

// ask sends a request with an id of its own and returns the answer.
func (w *web) ask(id uint16, pairs ...string) *answer {
	w.t.Helper()
	w.send(get(id, true, pairs...))
	return w.answer(id)
}

// untilStdout reads until the output of an unfinished request contains text.
func (w *web) untilStdout(id uint16, text string) {
	w.t.Helper()
	for !strings.Contains(w.open[id].stdout.String(), text) {
		if err := w.read(); err != nil {
			w.t.Fatalf("waiting for output %q: %v", text, err)
		}
	}
}

// expectEOF reads the rest and wants it to end well.
func (w *web) expectEOF() {
	w.t.Helper()
	for {
		switch err := w.read(); {
		case err == nil:
		case errors.Is(err, io.EOF) && len(w.unread) == 0:
			return
		default:
			w.t.Fatalf("connection ended with %v and %d bytes of a record", err, len(w.unread))
		}
	}
}

// expectClosed reads until the connection is closed in whatever way.
func (w *web) expectClosed() {
	w.t.Helper()
	for {
		err := w.read()
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			w.t.Fatal("the connection is still open")
		case err != nil:
			return
		}
	}
}

// read reads once and takes in all records that are complete.
func (w *web) read() error {
	buf := make([]byte, 64<<10)
	n, err := w.Read(buf)
	w.unread = append(w.unread, buf[:n]...)
	for len(w.unread) >= protocol.HeaderLen {
		h := protocol.ParseHeader(w.unread)
		size := protocol.HeaderLen + int(h.ContentLength) + int(h.PaddingLength)
		if len(w.unread) < size {
			break
		}
		if w.unread[0] != protocol.Version || w.unread[7] != 0 {
			w.t.Fatalf("header % x has another version, or a reserved byte that is not zero", w.unread[:8])
		}
		w.record(h, w.unread[protocol.HeaderLen:][:h.ContentLength])
		w.unread = w.unread[size:]
	}
	if n > 0 {
		return nil // the error comes back
	}
	return err
}

func (w *web) record(h protocol.Header, content []byte) {
	if h.RequestID == protocol.ManagementID {
		w.management = append(w.management, strconv.Itoa(int(h.Type))+" "+string(content))
		return
	}
	a := w.open[h.RequestID]
	if w.takesGoodbyes && h == (protocol.Header{Type: protocol.TypeStderr, RequestID: 1}) {
		w.goodbyes++
		return
	}
	if a == nil {
		w.t.Fatalf("%v for request %d, which is not active", h.Type, h.RequestID)
	}
	switch h.Type {
	case protocol.TypeStdout:
		a.stream(w.t, &a.stdout, "O", content)
	case protocol.TypeStderr:
		a.stream(w.t, &a.stderr, "R", content)
	case protocol.TypeEndRequest:
		if len(content) != 8 || !bytes.Equal(content[5:], []byte{0, 0, 0}) {
			w.t.Fatalf("END_REQUEST has content % x", content)
		}
		a.records.WriteByte('E')
		a.end = protocol.EndRequest{AppStatus: binary.BigEndian.Uint32(content), Status: protocol.Status(content[4])}
		a.check(w.t)
		delete(w.open, h.RequestID)
		w.ended[h.RequestID] = append(w.ended[h.RequestID], a)
		w.order = append(w.order, h.RequestID)
	default:
		w.t.Fatalf("%v from an application", h.Type)
	}
}

// stream takes a record of STDOUT or STDERR.
func (a *answer) stream(t testing.TB, to *strings.Builder, letter string, content []byte) {
	if strings.Contains(a.records.String(), strings.ToLower(letter)) {
		t.Fatalf("a record after the end of its stream: %s", a.records.String())
	}
	if len(content) == 0 {
		letter = strings.ToLower(letter)
	}
	a.records.WriteString(letter)
	to.Write(content)
}

// check holds a whole answer against the rules.
func (a *answer) check(t testing.TB) {
	has := func(letter string) bool { return strings.Contains(a.records.String(), letter) }
	switch {
	case a.end.Status != protocol.StatusRequestComplete:
		if a.records.String() != "E" {
			t.Fatalf("a refused request has more than its end: %s", a.records.String())
		}
	case !has("o") && !a.aborted:
		t.Fatalf("STDOUT does not end before END_REQUEST: %s", a.records.String())
	case has("R") && !has("r"):
		t.Fatalf("STDERR does not end before END_REQUEST: %s", a.records.String())
	}
}

// body is STDOUT without its header block.
func (a *answer) body() string {
	_, body, _ := strings.Cut(a.stdout.String(), "\r\n\r\n")
	return body
}

// status is the CGI status line's code, 200 if there is none.
func (a *answer) status() int {
	head, _, _ := strings.Cut(a.stdout.String(), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if code, ok := strings.CutPrefix(line, "Status: "); ok {
			n, _ := strconv.Atoi(code[:3])
			return n
		}
	}
	return 200
}

// expect wants a request to have ended well, with that as its STDOUT.
func (a *answer) expect(t testing.TB, stdout string) {
	t.Helper()
	if got := a.stdout.String(); got != stdout {
		t.Errorf("STDOUT is %q, want %q", clip(got), clip(stdout))
	}
	if a.end != (protocol.EndRequest{}) {
		t.Errorf("the request ended with %+v", a.end)
	}
}

// expectUnanswered wants a request to have ended by its handler, which wrote no response.
func (a *answer) expectUnanswered(t testing.TB) {
	t.Helper()
	a.expectStatus(t, 500)
	if a.end.AppStatus != 1 {
		t.Errorf("the request ended with %+v", a.end)
	}
}

// expectWritten wants a request to have ended with what its handler wrote: if that is nothing, unanswered.
func (a *answer) expectWritten(t testing.TB, stdout string) {
	t.Helper()
	if stdout == "" {
		a.expectUnanswered(t)
		return
	}
	a.expect(t, stdout)
}

// expectRefused wants a request to have been refused.
func (a *answer) expectRefused(t testing.TB, status protocol.Status) {
	t.Helper()
	if want := (protocol.EndRequest{Status: status}); a.end != want {
		t.Errorf("the request ended with %+v, want %+v", a.end, want)
	}
}

// expectStatus wants an error page and a nonzero appStatus.
func (a *answer) expectStatus(t testing.TB, code int) {
	t.Helper()
	if a.status() != code || a.end.AppStatus == 0 || a.end.Status != protocol.StatusRequestComplete {
		t.Errorf("the answer is %q, %+v; want status %d and an appStatus", clip(a.stdout.String()), a.end, code)
	}
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "… (" + strconv.Itoa(len(s)) + " bytes)"
	}
	return s
}

// The records that a web server sends.

func begin(id uint16, role protocol.Role, keep bool) []byte {
	var b protocol.BeginRequest
	b.Role = role
	if keep {
		b.Flags = protocol.FlagKeepConn
	}
	return protocol.AppendBeginRequest(nil, id, b)
}

// params is PARAMS without its end; pairs alternate names and values.
func params(id uint16, pairs ...string) []byte {
	return protocol.AppendStream(nil, protocol.TypeParams, id, block(pairs...))
}

func block(pairs ...string) (b []byte) {
	for pair := range slices.Chunk(pairs, 2) {
		b = protocol.AppendPair(b, pair[0], pair[1])
	}
	return b
}

func paramsEnd(id uint16) []byte {
	return protocol.AppendStreamEnd(nil, protocol.TypeParams, id)
}

func stdin(id uint16, text string) []byte {
	return protocol.AppendStream(nil, protocol.TypeStdin, id, []byte(text))
}

func stdinEnd(id uint16) []byte {
	return protocol.AppendStreamEnd(nil, protocol.TypeStdin, id)
}

func data(id uint16, text string) []byte {
	return protocol.AppendStream(nil, protocol.TypeData, id, []byte(text))
}

func dataEnd(id uint16) []byte {
	return protocol.AppendStreamEnd(nil, protocol.TypeData, id)
}

func abort(id uint16) []byte {
	return protocol.AppendRecord(nil, protocol.TypeAbortRequest, id, nil)
}

// start is a Responder request up to its body.
func start(id uint16, keep bool, pairs ...string) []byte {
	return slices.Concat(begin(id, fastcgi.RoleResponder, keep), params(id, pairs...), paramsEnd(id))
}

// get is a whole request without a body.
func get(id uint16, keep bool, pairs ...string) []byte {
	return slices.Concat(start(id, keep, pairs...), stdinEnd(id))
}

// post is a whole request with a body.
func post(id uint16, keep bool, body string, pairs ...string) []byte {
	pairs = append(pairs, "CONTENT_LENGTH", strconv.Itoa(len(body)))
	return slices.Concat(start(id, keep, pairs...), stdin(id, body), stdinEnd(id))
}
