package fastcgi

import (
	"context"
	"io"
	"strconv"
	"sync"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Roles, for Request.Role.
const (
	RoleResponder  = protocol.RoleResponder
	RoleAuthorizer = protocol.RoleAuthorizer
	RoleFilter     = protocol.RoleFilter
)

// A Request is a request as a Handler sees it. Its Read method is the request's
// body, FCGI_STDIN (§5.3), as it arrives.
//
// Methods may be called from any goroutine until the handler returns; only one
// at a time should read.
type Request struct {
	// ID is the request id on its connection (§3.3), which the web server
	// uses again for later requests.
	ID uint16
	// Role is what the web server wants (§6).
	Role protocol.Role
	// Whether the request outlives its handler. Guarded by conn.mu; it is here
	// because here it takes no room.
	hijacked bool
	// Params are the request's parameters, complete.
	Params Params

	conn    *conn
	x       *exchange
	gen     uint64
	changed *sync.Cond // of x, while it serves this request
	// Bytes of CONTENT_LENGTH and FCGI_DATA_LENGTH not read yet; -1 if there is
	// no such parameter.
	stdinLeft, dataLeft int64
	deadlines           *ioDeadlines // guarded by conn.mu; nil if there are none
}

// Read reads the body. It waits for bytes to arrive and returns io.EOF at the
// body's end, io.ErrUnexpectedEOF if that comes before CONTENT_LENGTH bytes or
// the connection ended, or the reason why the request was cancelled. Bytes beyond
// CONTENT_LENGTH are not returned.
func (r *Request) Read(p []byte) (int, error) {
	return r.readAnnounced(protocol.TypeStdin, &r.stdinLeft, p)
}

// Data returns the reader of FCGI_DATA, the file that a Filter is to work on
// (§6.4). It is held to the parameter FCGI_DATA_LENGTH as Read is to
// CONTENT_LENGTH; the file's time is in FCGI_DATA_LAST_MOD. Other roles have no
// such file: io.EOF.
func (r *Request) Data() io.Reader { return dataReader{r} }

type dataReader struct{ r *Request }

func (d dataReader) Read(p []byte) (int, error) {
	return d.r.readAnnounced(protocol.TypeData, &d.r.dataLeft, p)
}

// readAnnounced reads a stream of which left bytes are still to come.
func (r *Request) readAnnounced(t protocol.RecordType, left *int64, p []byte) (int, error) {
	switch {
	case *left < 0:
		return r.read(t, p)
	case *left == 0:
		return 0, io.EOF
	}
	n, err := r.read(t, p[:min(int64(len(p)), *left)])
	*left -= int64(n)
	if err == io.EOF && *left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// read waits for a piece of a stream.
func (r *Request) read(t protocol.RecordType, p []byte) (int, error) {
	x, c := r.x, r.conn
	c.mu.Lock()
	defer c.unlock()
	for {
		in, err := r.readable(t)
		if err != nil || len(p) == 0 {
			return 0, err
		}
		n, err := in.read(p)
		if n > 0 {
			c.consumed(x)
		}
		if n > 0 || err != nil {
			return n, err
		}
		r.await(r.readDeadline())
	}
}

// Context returns the request's context. It is cancelled when the handler
// returns, when the web server aborts the request or closes the connection, at
// whatever stage, and when the server is closed; context.Cause tells which:
// ErrAborted, ErrDisconnected, ErrSpoolFull or ErrServerClosed.
func (r *Request) Context() context.Context {
	c := r.conn
	c.mu.Lock()
	defer c.unlock()
	if !r.x.is(r.gen) {
		return finishedContext
	}
	return r.x.context()
}

// finishedContext is the context of requests that are over.
var finishedContext = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrFinished)
	return ctx
}()

// Aborted reports whether the answer is not wanted any more. It is Context
// without the context.
func (r *Request) Aborted() bool {
	c := r.conn
	c.mu.Lock()
	defer c.unlock()
	return !r.x.is(r.gen) || r.x.cause != nil
}

// bodyLength returns how long a request's body should be, or -1 if that is not
// known. An authorizer's has none, whatever length its web server passes on.
func bodyLength(role protocol.Role, p Params) int64 {
	if role == RoleAuthorizer {
		return 0
	}
	return length(p, "CONTENT_LENGTH")
}

// dataLength returns the same of FCGI_DATA, which only a filter has.
func dataLength(role protocol.Role, p Params) int64 {
	if role != RoleFilter {
		return 0
	}
	return length(p, "FCGI_DATA_LENGTH")
}

// length returns the value of a parameter that is a length in bytes, or -1 if
// there is none, or none that makes sense.
func length(p Params, name string) int64 {
	value := p.Get(name)
	if value == "" {
		return -1 // as for most requests; to parse it would make an error
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
