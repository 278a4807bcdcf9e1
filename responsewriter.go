package fastcgi

import (
	"io"
	"unsafe"

	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A syncCall is a Handler at work on a request.
type syncCall struct {
	Request
	engine  engine.Call // what Request.call is
	handler Handler
}

// newSyncCall makes the task of a request.
func newSyncCall(h Handler, b engine.Begun) engine.Task {
	s := &syncCall{handler: h, Request: Request{ID: b.ID, Role: b.Role, Params: Params{b.Params}}}
	s.engine.Ref = b.Ref
	s.call = &s.engine
	return s
}

// Run implements engine.Task.
func (s *syncCall) Run() {
	returned := false
	defer func() { s.engine.End(engine.Outcome{Returned: returned, Panic: recover()}) }()
	s.handler.ServeFastCGI(response{&s.Request}, &s.Request)
	returned = true
}

// Async makes an AsyncHandler of a Handler, which gets a goroutine for each
// request as if it were Server.Handler. With it an async router can leave some of
// its requests to handlers that wait.
func Async(h Handler) AsyncHandler {
	return AsyncHandlerFunc(func(ex Exchange) { ex.ref.Run(syncTask(h)) })
}

// syncTask returns what makes the tasks of a Handler.
func syncTask(h Handler) func(engine.Begun) engine.Task {
	return func(b engine.Begun) engine.Task { return newSyncCall(h, b) }
}

// A response is the ResponseWriter of a Handler.
type response struct{ r *Request }

func (w response) Write(p []byte) (int, error) { return w.r.call.Write(protocol.TypeStdout, p) }

func (w response) WriteString(s string) (int, error) {
	return w.Write(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// respond writes a response, a long body without a copy of it.
func (w response) respond(head []byte, b body) error {
	if b.len() < longBody {
		head = b.appendTo(head)
		b.text, b.bytes = "", nil
	}
	err := w.r.call.Respond(head)
	pool.Put(head)
	if err == nil && len(b.text) > 0 {
		_, err = w.WriteString(b.text)
	}
	if err == nil && len(b.bytes) > 0 {
		_, err = w.Write(b.bytes)
	}
	if err != nil {
		b.close()
		return err
	}
	return sendRest(w, b.rest)
}

// longBody is how many bytes a body has that is rather sent from where it is than
// copied.
const longBody = 32 << 10

// Flush returns when the output is on its way to the socket.
func (w response) Flush() error { return w.r.ref().Flush() }

func (w response) Stderr() io.Writer { return stderr{w} }

func (w response) SetAppStatus(status uint32) { w.r.call.SetAppStatus(status) }

func (w response) refused(reason error) { w.r.ref().Refused(reason) }

func (w response) claim() error { return w.r.ref().Claim() }

func (w response) disclaim() { w.r.ref().Disclaim() }

func (w response) isHead() bool { return w.r.Params.isHead() }

type stderr struct{ w response }

func (e stderr) Write(p []byte) (int, error) { return e.w.r.call.Write(protocol.TypeStderr, p) }
