package fastcgi

import (
	"context"
	"io"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/engine"
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
// at a time should read. Afterwards, and for a Request that no server made, they
// return ErrFinished or zero values; package fastcgitest makes requests for tests.
type Request struct {
	// ID is the request id on its connection (§3.3), which the web server
	// uses again for later requests.
	ID uint16
	// Role is what the web server wants (§6).
	Role protocol.Role
	// Params are the request's parameters, complete.
	Params Params

	call *engine.Call // nil if no server made the Request
}

// ref names the request to the engine.
func (r *Request) ref() engine.Ref { return engine.RefOf(r.call) }

// Read reads the body. It waits for bytes to arrive and returns io.EOF at the
// body's end, io.ErrUnexpectedEOF if that comes before CONTENT_LENGTH bytes or
// the connection ended, or the reason why the request was cancelled. Bytes beyond
// CONTENT_LENGTH are not returned.
func (r *Request) Read(p []byte) (int, error) { return r.call.Read(protocol.TypeStdin, p) }

// WriteTo implements io.WriterTo, for io.Copy: the rest of the body goes to w in
// the buffers that it arrived in. It returns what Read would, nil for io.EOF.
func (r *Request) WriteTo(w io.Writer) (int64, error) { return r.call.WriteTo(protocol.TypeStdin, w) }

// Data returns the reader of FCGI_DATA, the file that a Filter is to work on
// (§6.4). It is held to the parameter FCGI_DATA_LENGTH as Read is to
// CONTENT_LENGTH; the file's time is in FCGI_DATA_LAST_MOD. Other roles have no
// such file: io.EOF.
func (r *Request) Data() io.Reader { return dataReader{r.call} }

type dataReader struct{ call *engine.Call }

func (d dataReader) Read(p []byte) (int, error) { return d.call.Read(protocol.TypeData, p) }

// WriteTo implements io.WriterTo.
func (d dataReader) WriteTo(w io.Writer) (int64, error) { return d.call.WriteTo(protocol.TypeData, w) }

// Context returns the request's context. It is cancelled when the handler
// returns, when the web server aborts the request or closes the connection, at
// whatever stage, and when the server is closed; context.Cause tells which:
// ErrAborted, ErrDisconnected, ErrSpoolFull or ErrServerClosed.
func (r *Request) Context() context.Context { return r.ref().Context() }

// Aborted reports whether the answer is not wanted any more. It is Context
// without the context.
func (r *Request) Aborted() bool { return r.ref().Aborted() }

// Draining returns a channel that is closed when the server begins to shut down:
// the request may go on for DrainTimeout, but what has no end of its own, such as an
// event stream, should end. An http.Handler asks the Request of [FromContext].
func (r *Request) Draining() <-chan struct{} { return r.ref().Draining() }

// SetReadDeadline limits how long Read waits, and the Read of Data, those that
// wait already included: after t they return os.ErrDeadlineExceeded. Zero is no
// limit. A later deadline puts things right again.
func (r *Request) SetReadDeadline(t time.Time) error { return r.call.SetReadDeadline(t) }

// SetWriteDeadline does the same for Write of the request's [ResponseWriter], and
// of its Stderr. What was written before is sent all the same: how long the
// web server may take for that is [Server.WriteTimeout].
func (r *Request) SetWriteDeadline(t time.Time) error { return r.call.SetWriteDeadline(t) }

// Stderr returns a writer to FCGI_STDERR (§5.3), as [ResponseWriter] has it.
func (r *Request) Stderr() io.Writer { return response{r}.Stderr() }

// SetAppStatus sets what a CGI program would have exited with (§5.5), as
// [ResponseWriter] has it.
func (r *Request) SetAppStatus(status uint32) { response{r}.SetAppStatus(status) }
