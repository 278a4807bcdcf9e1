package client

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

const (
	// drainTimeout is how long an application may take, after its response was
	// whole, to end the request, before its connection is closed instead.
	drainTimeout = 10 * time.Second
	// maxDrain is how much it may send until then, in bytes.
	maxDrain = 256 << 10
)

// respond makes the response of HTTP.
func (x *roundTrip) respond(head *Head, body *Body) (*http.Response, error) {
	code := head.StatusCode()
	switch {
	case code == http.StatusSwitchingProtocols:
		return x.switchProtocols(head, body)
	case code < 200:
		return nil, fmt.Errorf("fastcgi: the response's status %d is not final", code)
	}
	if x.writer != nil {
		x.writer.Close() // no other protocol: STDIN ends
	}
	length, err := head.ContentLength()
	if err != nil {
		return nil, err
	}
	head.RemoveHopByHop()
	resp := x.newResponse(code, head.Header, length)
	switch {
	case !cgi.BodyAllowed(code):
		resp.Header.Del("Content-Length")
		resp.ContentLength = 0
		fallthrough
	case x.request.Method == http.MethodHead:
		resp.Body = http.NoBody
		x.whole(body)
		return resp, nil
	}
	if n, last := body.Buffered(); length < 0 && last {
		resp.ContentLength = int64(n) // all of it is here
	}
	resp.Body = &responseBody{roundTrip: x, body: body, left: length}
	return resp, nil
}

func (x *roundTrip) newResponse(code int, header http.Header, length int64) *http.Response {
	return &http.Response{
		Status:        strconv.Itoa(code) + " " + cgi.StatusText(code),
		StatusCode:    code,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		ContentLength: length,
		Request:       x.request,
	}
}

// A responseBody is the body of a response, on its way.
type responseBody struct {
	roundTrip *roundTrip
	body      *Body
	closed    atomic.Bool

	// Owned by the reader.
	left int64 // bytes to come; below zero if nobody knows
	err  error // that Read has returned
}

// Read implements io.Reader.
func (b *responseBody) Read(p []byte) (int, error) {
	switch {
	case b.closed.Load():
		return 0, http.ErrBodyReadAfterClose
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		b.err = io.EOF
		b.roundTrip.whole(b.body)
		return 0, io.EOF
	}
	if b.left > 0 {
		p = p[:min(int64(len(p)), b.left)]
	}
	n, err := b.body.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	b.err = b.meaning(err)
	switch {
	case b.err == nil:
	case b.left == 0:
		b.roundTrip.whole(b.body)
	default:
		b.roundTrip.finish()
	}
	return n, b.err
}

// meaning says what it means that reading the response returned err.
func (b *responseBody) meaning(err error) error {
	switch {
	case b.left == 0:
		return io.EOF
	case err == nil:
		return nil
	case b.closed.Load():
		return http.ErrBodyReadAfterClose
	case errors.Is(err, io.EOF) && b.left > 0:
		return fmt.Errorf("fastcgi: the response's body is %d bytes shorter than its Content-Length: %w", b.left, io.ErrUnexpectedEOF)
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return asTimeout(err)
}

// Close implements io.Closer.
func (b *responseBody) Close() error {
	b.closed.Store(true)
	b.roundTrip.finish()
	return nil
}

// whole notes that the caller has all that it is to get. The application may still
// have to end the request, without which its connection cannot be used again; the
// caller does not wait for that, and its context has no say in it any more.
func (x *roundTrip) whole(body *Body) {
	x.ended.Do(func() {
		x.detach()
		if n, _ := body.Buffered(); n > 0 {
			x.logLong()
		}
		// A body that nobody wants any more has no proper end.
		if x.body != nil && x.spool == nil && !x.body.atEnd() {
			x.release()
			return
		}
		if x.response.over() {
			x.release()
			return
		}
		go x.drain(body)
	})
}

// drain waits for the application to end the request. It ends after drainTimeout.
func (x *roundTrip) drain(body *Body) {
	timer := time.AfterFunc(drainTimeout, func() { x.response.Close() })
	defer timer.Stop()
	if n, _ := io.CopyN(io.Discard, body, maxDrain); n > 0 {
		x.logLong()
	}
	x.release()
}

// logLong logs that a response goes on behind its Content-Length.
func (x *roundTrip) logLong() {
	if x.request.Method == http.MethodHead {
		return // applications that do not know of HEAD, as many, are right
	}
	x.transport.log().LogAttrs(x.request.Context(), slog.LevelWarn,
		"fastcgi: transport: the response's body is longer than its Content-Length, and was cut",
		slog.String("uri", x.request.URL.RequestURI()))
}

// switchProtocols makes the response with which a connection becomes one of another
// protocol.
func (x *roundTrip) switchProtocols(head *Head, body *Body) (*http.Response, error) {
	upgrade := head.Header.Get("Upgrade")
	switch {
	case x.writer == nil:
		return nil, errors.New("fastcgi: the response has status 101, but the request is not for another protocol")
	case upgrade == "":
		return nil, errors.New("fastcgi: the response has status 101 without Upgrade")
	}
	head.RemoveHopByHop()
	head.Header.Del("Content-Length")
	head.Header.Set("Connection", "Upgrade")
	head.Header.Set("Upgrade", upgrade)
	resp := x.newResponse(http.StatusSwitchingProtocols, head.Header, -1)
	resp.Body = &upgradedBody{responseBody{roundTrip: x, body: body, left: -1}}
	return resp, nil
}

// An upgradedBody is the body of a response with status 101: a connection to the
// application, of which the request's STDIN and STDOUT are the directions.
type upgradedBody struct{ responseBody }

// Write sends p to the application, and returns when the application's connection
// has it.
func (b *upgradedBody) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return b.roundTrip.writer.Write(p)
}

// CloseWrite tells the application that nothing more will come. It can still be
// read.
func (b *upgradedBody) CloseWrite() error { return b.roundTrip.writer.Close() }
