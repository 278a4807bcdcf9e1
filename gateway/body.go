package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// lingerTimeout is how long the rest of a body, which nobody wants, may keep an
// HTTP/1 connection open. Closing it at once could reset it before the client
// has read the response.
const lingerTimeout = 500 * time.Millisecond

// A requestBody is the body as the application gets it.
type requestBody struct {
	reader io.Reader   // nil if there is none
	length int64       // in bytes; below one if there is none, or none that is known
	upload *upload     // nil unless the body is passed on as it arrives
	spool  *spool.Body // nil unless it was spooled
	tunnel *tunnel     // nil unless the client wants another protocol
}

// openBody decides how the body travels, and spools it if its length is unknown.
func (x *exchange) openBody(timer *limit.Timer) (*requestBody, error) {
	r := x.r
	switch {
	case x.upgrade:
		t := newTunnel()
		return &requestBody{reader: t, tunnel: t}, nil
	case r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0:
		return &requestBody{}, nil
	case r.ContentLength < 0 && !x.handler.StreamBody:
		s, err := x.handler.spool(r.Body)
		if err != nil {
			return nil, bodyError(err)
		}
		return &requestBody{reader: s.Reader(), length: s.Len(), spool: s}, nil
	}
	// Without it, net/http would read the whole body before the first byte of a
	// response. HTTP/2 does without, and says so with an error.
	_ = x.control.EnableFullDuplex()
	u := &upload{body: r.Body, left: r.ContentLength, control: x.control, timer: timer}
	u.idle.L = &u.mu
	return &requestBody{reader: u, length: r.ContentLength, upload: u}, nil
}

// spool reads a body of unknown length to its end: CGI wants to be told the length
// before the body.
func (h *Handler) spool(body io.Reader) (*spool.Body, error) {
	return spool.ReadBody(body, spool.Limits{
		Memory: limit.Of(h.SpoolMemory, DefaultSpoolMemory, spool.Unlimited),
		Size:   limit.Of(h.SpoolLimit, DefaultSpoolLimit, spool.Unlimited),
		Dir:    h.SpoolDir,
	})
}

// bodyError says what it means that the client's body cannot be read.
func bodyError(err error) error {
	switch client.StatusOf(err) {
	case http.StatusRequestEntityTooLarge, http.StatusInsufficientStorage, http.StatusInternalServerError:
		return err // it is known for what it is
	}
	return &cgi.StatusError{Code: http.StatusBadRequest, Err: fmt.Errorf("reading the body: %w", err)}
}

// unread reports whether the client may still be sending.
func (b *requestBody) unread() bool { return b.upload != nil && !b.upload.atEnd() }

func (b *requestBody) close() {
	if b.upload != nil {
		b.upload.stop()
	}
	if b.spool != nil {
		b.spool.Close()
	}
	if b.tunnel != nil {
		b.tunnel.close()
	}
}

// answered notes that there is an answer, and no other protocol.
func (b *requestBody) answered() {
	if b != nil && b.tunnel != nil {
		b.tunnel.refuse()
	}
}

var errStopped = errors.New("the response is over")

// An upload reads the client's body for the goroutine of package client, which
// may be in the middle of that when the response is over.
type upload struct {
	// Immutable.
	body    io.Reader
	control *http.ResponseController
	timer   *limit.Timer

	idle sync.Cond // reading became false

	// Guarded by mu.
	mu      sync.Mutex
	left    int64 // bytes to come; below zero if nobody knows
	ended   bool
	reading bool
	stopped bool
}

func (u *upload) Read(p []byte) (int, error) {
	if !u.begin() {
		return 0, errStopped
	}
	u.timer.Pause()
	n, err := u.body.Read(p)
	u.timer.Resume()
	u.end(n, err)
	if err != nil && !errors.Is(err, io.EOF) {
		err = bodyError(err)
	}
	return n, err
}

func (u *upload) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reading = !u.stopped
	return u.reading
}

func (u *upload) end(n int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left -= int64(n)
	u.ended = u.ended || u.left == 0 || errors.Is(err, io.EOF)
	u.reading = false
	u.idle.Broadcast()
}

func (u *upload) atEnd() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ended
}

// stop ends a Read in progress and refuses further ones: the body must not be
// used after the handler has returned.
func (u *upload) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	if u.ended {
		return
	}
	if u.reading && u.control.SetReadDeadline(time.Unix(1, 0)) == nil {
		for u.reading {
			u.idle.Wait()
		}
	}
	// net/http reads on for a moment, see unread.
	_ = u.control.SetReadDeadline(time.Now().Add(lingerTimeout))
}
