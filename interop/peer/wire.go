package main

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// What of FastCGI 1.0 §8 is looked at here.
const (
	headerSize   = 8
	typeBegin    = 1
	typeAbort    = 2
	typeEnd      = 3
	typeParams   = 4
	typeStdout   = 6
	typeStderr   = 7
	longLength   = 0x80
	longLenMask  = 0x7fffffff
	longLenBytes = 4
)

// What is known of all connections.
var (
	aborts   atomic.Int64 // requests that were aborted, or lost their connection, before they ended
	draining atomic.Bool  // the process is to end
	wires    sync.Map     // *wire: those that are open
)

// A wire is a connection of net/http/fcgi's. It reads along, for what that does not tell its handlers: the parameters
// as they came, that the web server has gone, and how to write to FCGI_STDERR.
type wire struct {
	net.Conn

	// Owned by the reader.
	header  [headerSize]byte
	have    int // of the header
	content int // still to come
	padding int

	mu     sync.Mutex // guards these
	id     uint16     // of the request that began last
	params []byte     // its parameters
	active int        // how many requests have begun and not ended
	used   bool       // a request has begun

	writing sync.Mutex // guards these, and writing
	strip   bool       // the status off the next header
	status  uint32     // appStatus of the request that ends next
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c}
	wires.Store(w, nil)
	return w
}

func (w *wire) Close() error {
	wires.Delete(w)
	return w.Conn.Close()
}

// drain lets requests end, and closes connections that have none. It waits a second at most.
func drain() {
	draining.Store(true)
	begun := time.Now()
	for open := true; open && time.Since(begun) < time.Second; time.Sleep(time.Millisecond) {
		open = false
		for w := range wires.Range {
			open = true
			if w := w.(*wire); w.writing.TryLock() {
				w.closeIfIdle()
				w.writing.Unlock()
			}
		}
	}
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	w.follow(p[:n])
	w.mu.Unlock()
	if err != nil {
		w.lose()
	}
	return n, err
}

// lose counts what is being handled as aborted.
func (w *wire) lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	aborts.Add(int64(w.active))
	w.active = 0
}

// follow takes bytes off the wire into account, however they are cut.
func (w *wire) follow(p []byte) {
	for len(p) > 0 {
		switch {
		case w.have < headerSize:
			n := copy(w.header[w.have:], p)
			w.have, p = w.have+n, p[n:]
			if w.have == headerSize {
				w.begin()
			}
		case w.content > 0:
			n := min(w.content, len(p))
			if w.header[1] == typeParams {
				w.params = append(w.params, p[:n]...)
			}
			w.content, p = w.content-n, p[n:]
		default:
			n := min(w.padding, len(p))
			w.padding, p = w.padding-n, p[n:]
		}
		if w.have == headerSize && w.content == 0 && w.padding == 0 {
			w.have = 0
		}
	}
}

// begin looks at a record's header.
func (w *wire) begin() {
	w.content, w.padding = int(binary.BigEndian.Uint16(w.header[4:])), int(w.header[6])
	switch w.header[1] {
	case typeBegin:
		w.id, w.params = binary.BigEndian.Uint16(w.header[2:]), nil
		w.active++
		w.used = true
	case typeAbort:
		aborts.Add(int64(w.active))
		w.active = 0
	}
}

// Write writes a record of net/http/fcgi's, which comes whole.
func (w *wire) Write(p []byte) (int, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	out := p
	switch {
	case p[1] == typeEnd:
		binary.BigEndian.PutUint32(p[headerSize:], w.status)
		w.status = 0
		w.end() // before the web server can know, and close the connection
	case p[1] == typeStdout && w.strip:
		out = record(typeStdout, binary.BigEndian.Uint16(p[2:]), withoutStatus(p))
		w.strip = false
	}
	if _, err := w.Conn.Write(out); err != nil {
		w.lose()
		return 0, err
	}
	if p[1] == typeEnd {
		w.closeIfIdle()
	}
	return len(p), nil
}

// end counts a request off.
func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active = max(0, w.active-1)
}

// closeIfIdle closes a connection if the process is to end, unless a request is under way or the first is still to come.
func (w *wire) closeIfIdle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if draining.Load() && w.used && w.active == 0 {
		w.Close()
	}
}

// withoutStatus returns the content of a record without its first line.
func withoutStatus(p []byte) []byte {
	content := p[headerSize : headerSize+int(binary.BigEndian.Uint16(p[4:]))]
	_, rest, _ := bytes.Cut(content, []byte("\r\n"))
	return rest
}

func record(kind byte, id uint16, content []byte) []byte {
	r := []byte{1, kind, byte(id >> 8), byte(id), byte(len(content) >> 8), byte(len(content)), 0, 0}
	return append(r, content...)
}

// A stream is what of a request's streams net/http/fcgi does not offer.
type stream struct {
	wire *wire
	id   uint16
}

func (s stream) stderr(text string) {
	s.wire.writing.Lock()
	defer s.wire.writing.Unlock()
	s.wire.Conn.Write(record(typeStderr, s.id, []byte(text)))
}

func (s stream) exit(code uint32) {
	s.wire.writing.Lock()
	defer s.wire.writing.Unlock()
	s.wire.status = code
}

// localRedirect has the answer go out without the status that net/http/fcgi always sends.
func (s stream) localRedirect(rw http.ResponseWriter, to string) {
	s.wire.writing.Lock()
	s.wire.strip = true
	s.wire.writing.Unlock()
	redirect(rw, to)
}

// handle is the http.Handler of all requests on the connection.
func (w *wire) handle(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	env, id := pairs(w.params), w.id
	w.mu.Unlock()
	perform(rw, r, env, stream{w, id})
}

// pairs decodes name-value pairs (§3.4); what is cut off is left out.
func pairs(p []byte) map[string]string {
	env := make(map[string]string)
	for len(p) > 0 {
		var name, value int
		name, p = length(p)
		value, p = length(p)
		if name+value > len(p) {
			break
		}
		env[string(p[:name])] = string(p[name : name+value])
		p = p[name+value:]
	}
	return env
}

func length(p []byte) (int, []byte) {
	switch {
	case len(p) == 0:
		return 0, nil
	case p[0]&longLength == 0:
		return int(p[0]), p[1:]
	case len(p) < longLenBytes:
		return 0, nil
	}
	return int(binary.BigEndian.Uint32(p) & longLenMask), p[longLenBytes:]
}
