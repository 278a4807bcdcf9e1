package fastcgi

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"unsafe"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A syncCall is a Handler at work on an exchange: its request and its response
// writer.
type syncCall struct {
	Request
	handler Handler
	waiting sync.Cond // what Request.changed is, unless Async was called twice
}

// Async makes an AsyncHandler of a Handler, which gets a goroutine for each
// request as if it were Server.Handler. With it an async router can leave some of
// its requests to handlers that wait.
func Async(h Handler) AsyncHandler {
	return AsyncHandlerFunc(func(ex Exchange) { ex.runSync(h) })
}

// runSync hands the request to a handler in a goroutine of its own.
func (ex Exchange) runSync(h Handler) {
	if !ex.lock() {
		ex.unlock()
		return
	}
	x := ex.x
	call := &syncCall{handler: h, Request: Request{
		ID: x.id, Role: x.role, Params: x.parameters(), conn: ex.conn, x: x, gen: ex.gen,
	}}
	if x.changed == nil {
		call.waiting.L = &ex.conn.mu
		x.changed = &call.waiting
	}
	call.changed = x.changed
	ex.unlock()
	call.stdinLeft = bodyLength(call.Role, call.Params)
	call.dataLeft = dataLength(call.Role, call.Params)
	ex.conn.service.workers.run(call)
}

// run runs the handler, and ends the request when it returns.
func (s *syncCall) run() {
	defer s.finish()
	s.handler.ServeFastCGI(response{&s.Request}, &s.Request)
}

// finish ends the request, also after a panic.
func (s *syncCall) finish() {
	reason, stack := panicStack(recover())
	x, c := s.x, s.conn
	c.mu.Lock()
	defer c.unlock()
	switch {
	case reason == nil && s.hijacked:
		s.leave()
		return
	case x.is(s.gen) && reason != nil:
		x.panicked(reason, stack)
	case reason != nil:
		c.service.panicked(reason, stack, "request", "ended")
	default:
		s.readRest()
	}
	if x.is(s.gen) { // or an AsyncHandler that used Async has finished it
		x.finish(x.appStatus)
	}
}

// leave is the end of a handler whose request goes on, as a hijacked connection.
// The context is over then in net/http, too.
func (s *syncCall) leave() {
	if x := s.x; x.is(s.gen) {
		x.context() // for those who ask later
		x.cancel(context.Canceled)
	}
}

// panicStatus is the appStatus of a request whose handler panicked: what a Go
// program exits with.
const panicStatus = 2

// abortStatus is the appStatus of a request whose handler broke off on purpose.
const abortStatus = 1

// panicked ends a request whose handler panicked.
//
// http.ErrAbortHandler is not an accident but how a handler says that its
// response must not pass for a whole one. It is not logged, and no page is put
// in place of a response that has not begun: the web server has its own for that.
func (x *exchange) panicked(reason any, stack []byte) {
	if reason == http.ErrAbortHandler {
		x.end(protocol.EndRequest{AppStatus: cmp.Or(x.appStatus, abortStatus)})
		return
	}
	x.conn.service.panicked(reason, stack, "request", x.id)
	if x.failed != nil { // nobody waits for an answer
		x.end(protocol.EndRequest{AppStatus: panicStatus})
		return
	}
	// The web server's log is told as well; if it fails there is nobody to tell.
	_, _ = x.write(protocol.TypeStderr, fmt.Appendf(nil, "fastcgi: handler panicked: %v\n", reason))
	x.answerError(500, panicStatus)
}

// response is the ResponseWriter of a syncCall.
type response struct{ r *Request }

func (w response) Write(p []byte) (int, error) { return w.write(protocol.TypeStdout, p) }

func (w response) WriteString(s string) (int, error) {
	return w.Write(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// respond writes the head of a response, and a body without a copy of it.
func (w response) respond(head []byte, body string) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.WriteString(body)
	return err
}

// write hands p on as there is room for it, and waits while there is none.
func (w response) write(t protocol.RecordType, p []byte) (n int, err error) {
	x, c := w.r.x, w.r.conn
	c.mu.Lock()
	defer c.unlock()
	for {
		if err := cmp.Or(w.usable(), overdue(w.r.writeDeadline())); err != nil {
			return n, err
		}
		if len(p)-n >= lendSize {
			k, err := w.lend(t, p[n:])
			if n += k; n == len(p) || err != nil {
				return n, err
			}
			continue
		}
		k, err := x.write(t, p[n:min(len(p), n+max(0, outputLimit-x.out.size))])
		n += k
		if n == len(p) || err != nil {
			return n, err
		}
		w.r.await(w.r.writeDeadline())
	}
}

const (
	// lendSize is how many bytes are rather sent from where they are than
	// copied, although their Write then has to wait.
	lendSize = 32 << 10
	// lendLimit is how many at once.
	lendLimit = 1 << 20
)

// lend sends from p, or from as much of it as is lent at once, without a copy, and
// waits until that is done.
func (w response) lend(t protocol.RecordType, p []byte) (int, error) {
	p = p[:min(len(p), lendLimit)]
	l := &loan{changed: w.r.changed}
	err := w.r.x.lend(t, p, l)
	for l.bytes > 0 && err == nil {
		w.r.await(w.r.writeDeadline())
		err = cmp.Or(w.usable(), overdue(w.r.writeDeadline()))
	}
	w.r.conn.recall(l)
	if l.sent == len(p) {
		err = w.usable() // that was in time
	}
	return l.sent, err
}

// usable returns why the request can not be written to any more.
func (w response) usable() error {
	if !w.r.x.is(w.r.gen) {
		return ErrFinished
	}
	return w.r.x.writable()
}

// Flush returns when the output is on its way to the socket.
func (w response) Flush() error {
	x, c := w.r.x, w.r.conn
	c.mu.Lock()
	defer c.unlock()
	err := w.usable()
	if err == nil {
		c.flush(x)
	}
	return err
}

func (w response) Stderr() io.Writer { return stderr{w} }

func (w response) SetAppStatus(status uint32) {
	c := w.r.conn
	c.mu.Lock()
	defer c.unlock()
	if w.usable() == nil {
		w.r.x.appStatus = status
	}
}

type stderr struct{ w response }

func (e stderr) Write(p []byte) (int, error) { return e.w.write(protocol.TypeStderr, p) }
