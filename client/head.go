package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// The errors of [ReadHead], besides those of its reader.
var (
	ErrMalformedHead = cgi.ErrMalformedHeader
	ErrHeadTooLarge  = cgi.ErrHeaderTooLarge // more than 64 KiB
)

// headLen is how much is read at a time until the head is complete, in bytes: most
// responses are shorter.
const headLen = 32 << 10

// A Head is what a CGI response starts with (RFC 3875 §6.3): the header fields in
// front of the blank line.
type Head struct {
	// Status is the code in the field Status, from 100 to 599, or zero if there is
	// none. StatusCode knows what that means.
	Status int
	// Header has all other fields, under their canonical names.
	Header http.Header
}

// ReadHead reads the head of a CGI response, such as a [Response], and returns what
// reads the body that follows.
//
// A head that breaks a rule of CGI is an ErrMalformedHead: every line is "Name:
// value" and ends in LF or CRLF, values have no control characters, and one of
// Content-Type, Location and Status is there, none of them twice. One of more than
// 64 KiB is an ErrHeadTooLarge. A response that ends within its head is an
// io.ErrUnexpectedEOF.
func ReadHead(r io.Reader) (*Head, *Body, error) {
	buf := pool.Get(headLen)[:headLen]
	var parser cgi.HeaderParser
	for {
		n, err := r.Read(buf)
		rest, done, headErr := parser.Feed(buf[:n])
		if headErr == nil && !done && err == nil {
			continue
		}
		if headErr == nil && done {
			whole := new(struct {
				head Head
				body Body
			})
			header := parser.Header()
			whole.head = Head{header.Status, http.Header(header.Fields)}
			if header.Fields == nil {
				whole.head.Header = make(http.Header)
			}
			whole.body = Body{r: r, buf: buf, rest: rest, err: err}
			if len(rest) == 0 {
				whole.body.release()
			}
			return &whole.head, &whole.body, nil
		}
		pool.Put(buf)
		switch {
		case headErr != nil:
			return nil, nil, headErr
		case errors.Is(err, io.EOF):
			return nil, nil, fmt.Errorf("fastcgi: the response ends within its head: %w", io.ErrUnexpectedEOF)
		}
		return nil, nil, err
	}
}

// StatusCode returns the status of HTTP: that of the field Status, else 302 with a
// Location and 200 without (RFC 3875 §6.2).
func (h *Head) StatusCode() int {
	switch {
	case h.Status != 0:
		return h.Status
	case h.Header.Get("Location") != "":
		return http.StatusFound
	}
	return http.StatusOK
}

// ContentLength returns what the field of that name says, or -1 if there is none.
func (h *Head) ContentLength() (int64, error) {
	text, ok := h.Header["Content-Length"]
	if !ok {
		return -1, nil
	}
	n, err := strconv.ParseUint(text[0], 10, 63)
	if err != nil {
		return 0, fmt.Errorf("fastcgi: the response's Content-Length is %q, which is no number", text[0])
	}
	return int64(n), nil
}

// LocalRedirect returns the Location of a response that asks its web server for
// another path: one that is a path, with neither a host nor a Status (RFC 3875
// §6.2.2). Who does not do that has a redirect for its client, see StatusCode.
func (h *Head) LocalRedirect() (location string, ok bool) {
	location = h.Header.Get("Location")
	ok = h.Status == 0 && strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//")
	return location, ok
}

// hopByHop are the fields that are about a connection, and so not the
// application's to set (RFC 3875 §6.3.4, RFC 9110 §7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// RemoveHopByHop removes the fields that are about a connection: there is none of
// HTTP between an application and whoever asks it.
func (h *Head) RemoveHopByHop() {
	for _, list := range h.Header["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		h.Header.Del(name)
	}
}

// A Body is what follows the head of a CGI response. ReadHead makes it.
type Body struct {
	r    io.Reader
	buf  []byte // from the pool, for as long as there is rest
	rest []byte // of the piece that the head ended in
	err  error  // of the Read that rest came with
}

// Read returns io.EOF together with the last bytes, if it was known then.
func (b *Body) Read(p []byte) (int, error) {
	if len(b.rest) == 0 && b.err == nil {
		return b.r.Read(p)
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) > 0 {
		return n, nil
	}
	b.release()
	return n, b.err
}

func (b *Body) release() {
	pool.Put(b.buf)
	b.buf, b.rest = nil, nil
}

// Buffered returns how many bytes were read together with the head, which the next
// Read returns at once, and whether they are the last.
func (b *Body) Buffered() (n int, last bool) { return len(b.rest), errors.Is(b.err, io.EOF) }
