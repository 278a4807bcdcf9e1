package engine

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An input is what arrived of one stream of a request, STDIN or DATA, and was
// not read yet: first head, which can be read, then what is on disk, then tail,
// which came behind that. Guarded by conn.mu.
type input struct {
	head  []byte // from the pool
	off   int    // how much of head was read
	spill *spill // nil until something had to go to disk
	tail  []byte // from the pool; on its way to disk, or waiting for what is there to be read
	left  int64  // bytes announced that were not read yet, or unannounced
	ended bool   // the web server sent the end of the stream
	err   error  // what reading returns once everything is read, instead of io.EOF
}

// unannounced is the length of a stream without CONTENT_LENGTH or
// FCGI_DATA_LENGTH.
const unannounced = -1

// noInput is the DATA of requests that have none. It is never written to.
var noInput = input{ended: true, left: unannounced}

// inputOf returns what arrives on one of the streams of input, with the length
// that was announced for it.
func (x *exchange) inputOf(t protocol.RecordType) *input {
	x.measure()
	if t == protocol.TypeData {
		return x.data
	}
	return &x.stdin
}

// measure looks up how long the streams of input are to be: the one place where
// CONTENT_LENGTH (RFC 3875 §4.1.2) and FCGI_DATA_LENGTH (§6.4) count. It is done
// when somebody reads, as few do. An authorizer has no body, whatever length its
// web server passes on.
func (x *exchange) measure() {
	if x.measured {
		return
	}
	x.measured = true
	switch p := x.peekParameters(); x.role {
	case protocol.RoleAuthorizer:
	case protocol.RoleFilter:
		x.data.left = length(p, "FCGI_DATA_LENGTH")
		fallthrough
	default:
		x.stdin.left = length(p, "CONTENT_LENGTH")
	}
}

// noteHead looks at the start of the response. Where it changes the protocol, what
// follows is no body, and CONTENT_LENGTH is no concern of it.
func (x *exchange) noteHead(p []byte) {
	if bytes.HasPrefix(p, statusSwitching) {
		x.upgrade()
	}
}

var statusSwitching = []byte("Status: 101")

// upgrade takes the announced length away from STDIN, and the limit on its silence.
func (x *exchange) upgrade() {
	x.measured, x.stdin.left = true, unannounced
	x.upgraded = true
}

// awaitsInput reports whether somebody waits for more of a stream, and nothing but
// the web server keeps it from coming.
func (x *exchange) awaitsInput() bool {
	a := &x.async
	switch {
	case x.upgraded || x.conn.paused:
		return false
	case x.readers > 0:
		return !x.stdin.over() || !x.data.over()
	case a.paused:
		return false
	}
	return a.body.open() && !x.stdin.over() || a.data.open() && !x.data.over()
}

// await notes that somebody waits for input from now on.
func (x *exchange) await() {
	if x.conn.engine.BodyTimeout <= 0 || !x.awaitsInput() {
		return
	}
	x.heard = x.conn.clock()
	x.conn.schedule(x.heard)
}

// inputFailed ends the streams of input early: who reads gets err.
func (x *exchange) inputFailed(err error) {
	x.stdin.fail(err)
	x.data.fail(err)
	x.conn.enqueue(x) // a filter has nothing to wait for any more
	x.wake()
	x.conn.notifyBody(x)
}

// length returns the value of a parameter that is a length in bytes, or
// unannounced if there is none, or none that makes sense.
func length(p protocol.Pairs, name string) int64 {
	value := p.Get(name)
	if value == "" {
		return unannounced // as for most requests; to parse it would make an error
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return unannounced
	}
	return n
}

// ready returns how many bytes can be read at once.
func (in *input) ready() int { return len(in.head) - in.off }

// inMemory returns how many bytes are in memory.
func (in *input) inMemory() int {
	n := in.ready() + len(in.tail)
	if in.spill != nil {
		n += in.spill.moving
	}
	return n
}

// pending returns how many bytes wait to go to disk, or cannot.
func (in *input) pending() int {
	if in.spill == nil {
		return 0
	}
	return len(in.tail) + in.spill.moving
}

// waiting returns how many bytes were not read yet, wherever they are.
func (in *input) waiting() int64 {
	n := int64(in.inMemory())
	if in.spill != nil {
		n += in.spill.stored
	}
	return n
}

// over reports whether nothing more will come.
func (in *input) over() bool { return in.ended || in.err != nil }

// whole reports whether everything was read that there is to read.
func (in *input) whole() bool {
	return in.left == 0 || in.left < 0 && in.ended && in.err == nil && in.waiting() == 0
}

// inOrder reports whether what comes next may go to head: nothing is behind it.
func (in *input) inOrder() bool {
	return len(in.tail) == 0 && (in.spill == nil || in.spill.empty())
}

// push appends p in memory.
func (in *input) push(p []byte) {
	if in.off > 0 {
		n := copy(in.head, in.head[in.off:])
		in.head, in.off = in.head[:n], 0
	}
	in.head = append(pool.Grow(in.head, len(p)), p...)
}

// pushTail appends p behind what is on disk.
func (in *input) pushTail(p []byte) { in.tail = append(pool.Grow(in.tail, len(p)), p...) }

// read takes bytes from the front. It returns 0 and no error if none are there
// yet.
func (in *input) read(p []byte) (n int, err error) {
	in.advance()
	if in.left >= 0 {
		p = p[:min(int64(len(p)), in.left)]
	}
	if in.left == 0 || in.ready() == 0 {
		return 0, in.end()
	}
	n = copy(p, in.head[in.off:])
	in.off += n
	in.took(n)
	if in.ready() == 0 {
		in.freeHead()
	}
	return n, nil
}

// take removes a piece from the front, in a buffer that the caller gives back to
// the pool. It returns neither a piece nor an error if none is there yet.
func (in *input) take() (piece, buf []byte, err error) {
	in.advance()
	if in.left == 0 || in.ready() == 0 {
		return nil, nil, in.end()
	}
	piece, buf = in.head[in.off:], in.head
	in.head, in.off = nil, 0
	if in.left >= 0 {
		piece = piece[:min(int64(len(piece)), in.left)]
	}
	in.took(len(piece))
	return piece, buf, nil
}

// advance makes tail the next to be read, once everything before it was.
func (in *input) advance() {
	if in.ready() == 0 && len(in.tail) > 0 && (in.spill == nil || in.spill.empty()) {
		in.head, in.off, in.tail = in.tail, 0, nil
		if in.spill != nil {
			in.spill.stuck = false
		}
	}
}

func (in *input) took(n int) {
	if in.left >= 0 {
		in.left -= int64(n)
	}
}

// end returns what reading returns where nothing is left to read: nil if more may
// come.
func (in *input) end() error {
	switch {
	case in.left == 0:
		return io.EOF
	case in.waiting() > 0:
		return nil // on disk
	case in.err != nil:
		return in.err
	case in.ended && in.left > 0:
		return io.ErrUnexpectedEOF
	case in.ended:
		return io.EOF
	}
	return nil
}

// fail ends the stream early: reading returns err once everything is read.
func (in *input) fail(err error) {
	if !in.over() {
		in.err = err
	}
}

// drop forgets what was not read.
func (in *input) drop() {
	if in.head == nil && in.tail == nil && in.spill == nil {
		return // and noInput is not written to
	}
	in.freeHead()
	pool.Put(in.tail)
	in.tail = nil
	if in.spill != nil {
		in.spill.discard()
		in.spill = nil
	}
}

func (in *input) freeHead() {
	pool.Put(in.head)
	in.head, in.off = nil, 0
}

// input takes a piece of STDIN or DATA, or its end.
func (c *conn) input(x *exchange, in *input, ev protocol.Event) {
	switch {
	case x.failed != nil:
		return
	case ev.End:
		in.ended = true
		c.enqueue(x) // a filter may begin to answer
	default:
		c.store(x, in, ev.Data)
	}
	x.heard = c.now
	x.wake()
	c.notifyBody(x)
	c.adjustFlow()
}

// consumed notes that a handler took some of a request's input.
func (c *conn) consumed(x *exchange) {
	x.settle()
	c.alone()
	c.refill(x)
	c.adjustFlow()
}

// overflow ends a request whose input there is no place for, so that it hurts
// no other. Its handler learns from its context.
func (c *conn) overflow(x *exchange, cause error) {
	c.engine.counters.overflowed.Add(1)
	c.complain(complainNoRoom, "request ended", "error", cause, "request", x.id)
	x.end(evEnd, ending{page: 507, appStatus: failedStatus, cause: cause})
}

// spillFailed is overflow for a spool that cannot be used.
func spillFailed(err error) error { return fmt.Errorf("fastcgi: cannot spool input: %w", err) }
