package nethttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// holdBack is how many bytes of a body wait for more before the header is sent,
// as in net/http: a response that ends within them has a Content-Length.
const holdBack = 2048

// pieceSize is how many bytes ReadFrom sends at once: a whole record with its
// header.
const pieceSize = 64 << 10

// cutShortStatus is the appStatus of a response that is not whole.
const cutShortStatus = 1

// A response is the http.ResponseWriter over a Writer.
//
// The header is fixed by WriteHeader, and sent with the first bytes of the body,
// because what Content-Type and Content-Length it gets depends on these.
type response struct {
	w      Writer
	in     *Incoming
	dates  *dateLine
	isHead bool // the method is HEAD

	basePath string // what a Location that is a path is put below

	fields      http.Header // the handler's
	status      int         // from WriteHeader; 0 before
	head        header      // as of WriteHeader
	sent        bool        // the header is on its way
	done        bool        // the handler has returned
	held        []byte      // the start of the body, from the pool; not sent yet
	length      int64       // the Content-Length that the handler set; -1 if none
	written     int64       // bytes of the body so far
	excess      bool        // the handler tried to write more than length
	deadlineHit bool        // something was not written in time: nothing is written any more

	readDeadline, writeDeadline finalDeadline

	hijacked bool // the rest is hijackedConn's
}

// Header implements http.ResponseWriter.
func (h *response) Header() http.Header {
	if h.fields == nil {
		h.fields = make(http.Header)
	}
	return h.fields
}

// WriteHeader implements http.ResponseWriter. Informational responses are
// passed over: a CGI response has one status.
func (h *response) WriteHeader(code int) {
	switch {
	case h.hijacked:
		h.warn("WriteHeader on a hijacked connection", "status", code, "caller", caller())
		return
	case h.status != 0:
		h.warn("superfluous WriteHeader", "status", code, "caller", caller())
		return
	case code < 100 || code > 999:
		panic(fmt.Sprintf("fastcgi: WriteHeader code %d does not have three digits", code))
	case code < 200 && code != http.StatusSwitchingProtocols:
		return
	}
	h.status = code
	h.snapshotHeader()
}

// Write implements io.Writer.
func (h *response) Write(p []byte) (int, error) {
	if err := h.account(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	n := h.hold(p)
	if n == len(p) {
		return n, nil
	}
	if err := h.sendHeader(p); err != nil {
		return n, err
	}
	if h.isHead {
		return len(p), nil
	}
	m, err := h.send(p[n:])
	return n + m, err
}

// WriteString implements io.StringWriter.
func (h *response) WriteString(s string) (int, error) {
	p := append(pool.Get(len(s)), s...)
	defer pool.Put(p)
	return h.Write(p)
}

// ReadFrom implements io.ReaderFrom. Each piece is a whole record, and sent from
// the one buffer that it was read into.
func (h *response) ReadFrom(src io.Reader) (int64, error) {
	buf := pool.Get(pieceSize)
	defer pool.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{h}, src, buf[:pieceSize-protocol.HeaderLen])
}

// Flush implements http.Flusher.
func (h *response) Flush() { _ = h.FlushError() }

// FlushError is Flush for http.ResponseController.
func (h *response) FlushError() error {
	if h.hijacked {
		return http.ErrHijacked
	}
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	if err := h.sendHeader(nil); err != nil {
		return err
	}
	if h.deadlineHit = h.deadlineHit || h.writeDeadline.passed(); h.deadlineHit {
		return os.ErrDeadlineExceeded
	}
	return h.w.Flush()
}

// CloseNotify implements http.CloseNotifier, which net/http deprecates and still
// has: some frameworks ask for it. What it returns is sent true if the request is
// cancelled.
func (h *response) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	context.AfterFunc(engine.RefOf(h.in.Call).Context(), func() { gone <- true })
	return gone
}

// EnableFullDuplex is for http.ResponseController: there is nothing to enable,
// the body can be read while the response is written.
func (h *response) EnableFullDuplex() error { return nil }

// SetReadDeadline is for http.ResponseController.
func (h *response) SetReadDeadline(t time.Time) error {
	if h.readDeadline.set(t) {
		return h.in.Call.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline is for http.ResponseController.
func (h *response) SetWriteDeadline(t time.Time) error {
	if h.writeDeadline.set(t) {
		return h.in.Call.SetWriteDeadline(t)
	}
	return nil
}

// A finalDeadline is one that cannot be moved once it has passed, as those of
// net/http: what was not read or written by then leaves a hole.
type finalDeadline struct{ at time.Time }

// set moves the deadline, and reports whether that was in time.
func (d *finalDeadline) set(t time.Time) bool {
	if d.passed() {
		return false
	}
	d.at = t
	return true
}

func (d *finalDeadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// account admits n bytes of the body, or says why not.
func (h *response) account(n int) error {
	if h.hijacked {
		return http.ErrHijacked
	}
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	if h.deadlineHit {
		return os.ErrDeadlineExceeded
	}
	if n == 0 {
		return nil
	}
	if !cgi.BodyAllowed(h.status) {
		return http.ErrBodyNotAllowed
	}
	if h.length >= 0 && int64(n) > h.length-h.written {
		h.excess = true
	}
	if h.excess {
		return http.ErrContentLength
	}
	h.written += int64(n)
	return nil
}

// hold keeps p back, if the header is not sent, and returns how much of it: a
// start that is not whole is filled up, for what it tells about the type.
func (h *response) hold(p []byte) int {
	if h.sent || len(h.held) == 0 && len(p) > holdBack {
		return 0
	}
	if h.held == nil {
		h.held = pool.Get(holdBack)
	}
	n := min(len(p), holdBack-len(h.held))
	h.held = append(h.held, p[:n]...)
	return n
}

// sendHeader sends the header, if it is not sent, and what was held back. Next
// is what will follow.
func (h *response) sendHeader(next []byte) error {
	if h.sent {
		return nil
	}
	h.sent = true
	start := h.held
	if len(start) == 0 {
		start = next
	}
	block := h.complete(start)
	if !h.isHead {
		block = append(pool.Grow(block, len(h.held)), h.held...)
	}
	pool.Put(h.held)
	h.held, h.head.block = nil, nil
	_, err := h.send(block)
	pool.Put(block)
	return err
}

// send writes, and remembers whether a deadline has cut the response short.
func (h *response) send(p []byte) (int, error) {
	n, err := h.w.Write(p)
	h.deadlineHit = h.deadlineHit || errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// finish ends the response after the handler.
func (h *response) finish() {
	if h.hijacked {
		return
	}
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	h.done = true
	err := h.sendHeader(nil)
	switch {
	case h.deadlineHit:
		h.warn("response cut short by the write deadline")
		h.w.SetAppStatus(cutShortStatus)
		return
	case err != nil:
		return // the request was cancelled, as its context told
	}
	if h.length > h.written && !h.isHead && cgi.BodyAllowed(h.status) && !engine.RefOf(h.in.Call).Aborted() {
		h.warn("response is shorter than its Content-Length", "length", h.length, "written", h.written)
		h.w.SetAppStatus(cutShortStatus)
	}
}

func (h *response) warn(msg string, args ...any) {
	engine.RefOf(h.in.Call).Warn(msg, append(args, "request", h.in.ID)...)
}

// caller returns the place in the handler that called a method of response,
// maybe by way of net/http.
func caller() runtime.Frame {
	pc := make([]uintptr, 16)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for {
		frame, more := frames.Next()
		if !strings.Contains(frame.Function, ".(*response).") && !strings.HasPrefix(frame.Function, "net/http.") || !more {
			return frame
		}
	}
}
