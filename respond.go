package fastcgi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
)

// SendResponse writes a CGI response (RFC 3875 §6.3): status, Content-Type,
// headers, and data as the body. For both kinds of handlers; what is written
// afterwards is appended to the body.
//
// The status text is added to code. A text type without a charset is given
// UTF-8, and an empty mimeType leaves Content-Type out. Data may be
//
//   - nil: no body, but for an error code its name,
//   - a string or []byte, as it is,
//   - an iter.Seq of string or []byte, or an io.Reader: a stream, each piece of
//     which is sent at once. An Exchange takes pieces on its loop, as fast as the
//     web server takes them, so they must not block; Write returns ErrFull until
//     the stream ends, and Finish waits for it. A reader that is an io.Closer is
//     closed at the end,
//   - with a JSON mimeType, anything else that encoding/json takes.
//
// A response to HEAD, and one with status 204 or 304, has no body, whatever data
// is (RFC 3875 §4.3.3): not every web server takes it away.
//
// No Content-Length is added. Headers with CR, LF or NUL, or names that are no
// header names, are refused before anything is written.
func SendResponse(w ResponseWriter, code int, mimeType string, data any, headers ...Pair) error {
	block, err := responseHeader(code, mimeType, headers)
	if err != nil {
		return err
	}
	bodiless := code == http.StatusNoContent || code == http.StatusNotModified || answersHead(w)
	if s, ok := data.(string); ok && len(s) >= longString && !bodiless {
		// Not what embeds one of them, and may have a Write of its own.
		switch w := w.(type) {
		case Exchange:
			return w.respond(block, s)
		case response:
			return w.respond(block, s)
		}
	}
	body, src, err := bodyOf(code, mimeType, data)
	if err != nil {
		return err
	}
	if bodiless {
		if src != nil {
			src.close()
		}
		body, src = nil, nil
	}
	if _, err := w.Write(append(block, body...)); err != nil {
		if src != nil {
			src.close()
		}
		return err
	}
	if src == nil {
		return nil
	}
	// An Exchange, or what embeds one.
	if ex, ok := w.(interface{ stream(source) error }); ok {
		return ex.stream(src)
	}
	return copyStream(w, src)
}

// answersHead reports whether w is for a request with the method HEAD.
func answersHead(w ResponseWriter) bool {
	h, ok := w.(interface{ isHead() bool })
	return ok && h.isHead()
}

func (p Params) isHead() bool { return p.Get("REQUEST_METHOD") == http.MethodHead }

// SendRedirect writes a redirect (RFC 3875 §6.2.3 and §6.2.4). A target that is
// an absolute URL is for the client to go to, with status 302; one that is a path
// starting with a single slash is for the web server to answer itself, where the
// server does that. (Many pass it on to the client instead.)
func SendRedirect(w ResponseWriter, target string) error {
	switch {
	case !cgi.ValidValue(target) || strings.ContainsAny(target, " \t"):
		return fmt.Errorf("fastcgi: redirect target %q has characters that a URL can not have", target)
	case strings.HasPrefix(target, "//"):
		return fmt.Errorf("fastcgi: redirect target %q has a host but no scheme", target)
	case strings.HasPrefix(target, "/"):
		_, err := w.Write([]byte("Location: " + target + "\r\n\r\n"))
		return err
	case !isAbsoluteURL(target):
		return fmt.Errorf("fastcgi: redirect target %q is neither an absolute URL nor an absolute path", target)
	}
	_, err := w.Write([]byte("Status: 302 Found\r\nLocation: " + target + "\r\n\r\n"))
	return err
}

// isAbsoluteURL reports whether s starts with a scheme (RFC 3986 §3.1).
func isAbsoluteURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" {
		return false
	}
	for i, c := range []byte(scheme) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	return true
}

// responseHeader returns the header block.
func responseHeader(code int, mimeType string, headers []Pair) ([]byte, error) {
	if code < 100 || code > 999 {
		return nil, fmt.Errorf("fastcgi: status code %d does not have three digits", code)
	}
	b := make([]byte, 0, 256)
	b = appendStatus(b, code)
	if mimeType != "" {
		if !cgi.ValidValue(mimeType) {
			return nil, fmt.Errorf("fastcgi: media type %q has characters that a header can not have", mimeType)
		}
		b = append(append(b, "Content-Type: "...), mimeType...)
		if strings.HasPrefix(mimeType, "text/") && !strings.Contains(mimeType, "charset=") {
			b = append(b, "; charset=utf-8"...)
		}
		b = append(b, "\r\n"...)
	}
	for _, h := range headers {
		if !cgi.ValidName(h.Name) || !cgi.ValidValue(h.Value) {
			return nil, fmt.Errorf("fastcgi: header %q: %q has characters that a header can not have", h.Name, h.Value)
		}
		b = append(append(append(append(b, h.Name...), ": "...), h.Value...), "\r\n"...)
	}
	return append(b, "\r\n"...), nil
}

// appendStatus appends the Status line of a CGI response.
func appendStatus(b []byte, code int) []byte {
	b = strconv.AppendInt(append(b, "Status: "...), int64(code), 10)
	if text := http.StatusText(code); text != "" {
		b = append(append(b, ' '), text...)
	}
	return append(b, "\r\n"...)
}

// appendErrorPage appends the response that says nothing but its status.
func appendErrorPage(b []byte, code int) []byte {
	b = appendStatus(b, code)
	b = append(b, "Content-Type: text/plain; charset=utf-8\r\n\r\n"...)
	return append(append(b, http.StatusText(code)...), '\n')
}

// bodyOf returns data as bytes or as a stream.
func bodyOf(code int, mimeType string, data any) ([]byte, source, error) {
	switch d := data.(type) {
	case nil:
		if code >= 400 {
			return []byte(cmp.Or(http.StatusText(code), strconv.Itoa(code)) + "\n"), nil, nil
		}
		return nil, nil, nil
	case string:
		return []byte(d), nil, nil
	case []byte:
		return d, nil, nil
	case iter.Seq[[]byte]:
		return nil, pull(d), nil
	case func(func([]byte) bool):
		return nil, pull(d), nil
	case iter.Seq[string]:
		return nil, pull(d), nil
	case func(func(string) bool):
		return nil, pull(d), nil
	case io.Reader:
		return nil, &readerSource{r: d}, nil
	}
	if !strings.Contains(mimeType, "json") {
		return nil, nil, fmt.Errorf("fastcgi: cannot send a %T as %q", data, mimeType)
	}
	b, err := json.Marshal(data)
	return b, nil, err
}

// longString is how many bytes a string has that is rather sent from where it is
// than copied.
const longString = 32 << 10

// streamPiece is how many bytes of a reader are sent at once.
const streamPiece = 32 << 10

// keepStack keeps the stack of a panic in a sequence, which iter.Pull would lose
// on the way to whoever takes its pieces.
func keepStack() {
	if reason := recover(); reason != nil {
		panic(engine.TracedPanic{Reason: reason, Stack: debug.Stack()})
	}
}

// A source yields a body piece by piece, io.EOF after the last.
type source interface {
	next() ([]byte, error)
	close()
}

// pull makes a source of a sequence.
func pull[T string | []byte](seq iter.Seq[T]) source {
	next, stop := iter.Pull(func(yield func(T) bool) {
		defer keepStack()
		seq(yield)
	})
	return &seqSource[T]{next, stop}
}

type seqSource[T string | []byte] struct {
	pull func() (T, bool)
	stop func()
}

func (s *seqSource[T]) next() ([]byte, error) {
	piece, ok := s.pull()
	if !ok {
		return nil, io.EOF
	}
	return []byte(piece), nil
}

func (s *seqSource[T]) close() { s.stop() }

type readerSource struct {
	r   io.Reader
	buf []byte
}

func (s *readerSource) next() ([]byte, error) {
	if s.buf == nil {
		s.buf = make([]byte, streamPiece)
	}
	for {
		n, err := s.r.Read(s.buf)
		if n > 0 {
			return s.buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (s *readerSource) close() {
	if c, ok := s.r.(io.Closer); ok {
		// The body was read; what closing says changes nothing.
		_ = c.Close()
	}
}

// copyStream sends a stream from a Handler's goroutine.
func copyStream(w ResponseWriter, src source) error {
	defer src.close()
	for {
		piece, err := src.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}
