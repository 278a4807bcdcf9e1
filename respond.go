package fastcgi

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

// SendResponse writes a CGI response (RFC 3875 §6.3): status, Content-Type,
// headers, and data as the body. For both kinds of handlers; what is written
// afterwards is appended to the body. It is the first that a request writes: after
// any output, another response included, it returns ErrResponded and writes nothing.
// So of several that race to answer, in callbacks or goroutines, one does.
//
// The status text is added to code. A text type without a charset is given
// UTF-8, and an empty mimeType leaves Content-Type out. Data may be
//
//   - nil: no body, but for an error code its name, if mimeType is text/plain or
//     empty,
//   - a string or []byte, or of a type made of one such as template.HTML, as it is,
//   - an iter.Seq of those, or an io.Reader: a stream, each piece of which is sent
//     at once. An Exchange takes pieces on its loop, as fast as the web server takes
//     them, so they must not block; Write returns ErrFull until the stream ends, and
//     Finish waits for it. A reader that is an io.Closer is closed at the end, and
//     if SendResponse fails,
//   - with a JSON mimeType, anything else that encoding/json takes, and what has a
//     MarshalJSON or MarshalText; but a json.RawMessage is sent as it is.
//
// Nothing else is: of a fmt.Stringer or an error, give what its method returns.
//
// A response to HEAD, and one with status 204 or 304, has no body, whatever data
// is (RFC 3875 §4.3.3): not every web server takes it away.
//
// No Content-Length is added. What cannot be a response is refused before anything
// is written: codes other than 101 and 200 to 999, headers with CR, LF or NUL, names
// that are no header names or that are Status or Transfer-Encoding, a Content-Length
// that is no number, and a second Content-Type, Content-Length or Location.
//
// A handler that has an error from SendResponse may send another response. If it ends
// without one, the client gets status 500, and Server.ErrorLog the reason.
func SendResponse(w ResponseWriter, code int, mimeType string, data any, headers ...Pair) error {
	return noteRefusal(w, sendResponse(w, code, mimeType, data, headers))
}

func sendResponse(w ResponseWriter, code int, mimeType string, data any, headers []Pair) error {
	if err := checkHead(code, mimeType, headers); err != nil {
		if r, ok := data.(io.Reader); ok {
			(&readerSource{r: r}).close()
		}
		return err
	}
	b, err := bodyOf(code, mimeType, data)
	if err != nil {
		return err
	}
	if code == http.StatusNoContent || code == http.StatusNotModified || answersHead(w) {
		b.close()
		b = body{}
	}
	head := appendHead(pool.Get(headSize), code, mimeType, headers)
	return respond(w, head, b)
}

// noteRefusal returns err, which the request is told of if it says why a response was
// not written. It counts there as long as none is.
func noteRefusal(w ResponseWriter, err error) error {
	if err == nil || errors.Is(err, ErrResponded) {
		return err
	}
	if own, ok := beneath[interface{ refused(reason error) }](w); ok {
		own.refused(err)
	}
	return err
}

// respond writes a response. It takes over the head, which is from the pool, and
// the body.
func respond(w ResponseWriter, head []byte, b body) error {
	// Not what embeds one of them, and may have a Write of its own.
	switch w := w.(type) {
	case Exchange:
		defer pool.Put(head)
		return w.respond(head, b)
	case response:
		return w.respond(head, b)
	}
	return writeResponse(w, head, b)
}

// writeResponse is respond for what others made of a ResponseWriter. Its Write may
// keep what it is given for later, so the response is claimed before.
func writeResponse(w ResponseWriter, head []byte, b body) error {
	own, ok := beneath[claimer](w)
	if ok {
		if err := own.claim(); err != nil {
			pool.Put(head)
			b.close()
			return err
		}
	}
	head = b.appendTo(head)
	_, err := w.Write(head)
	pool.Put(head)
	if err != nil {
		if ok {
			own.disclaim()
		}
		b.close()
		return err
	}
	return sendRest(w, b.rest)
}

// A claimer is a ResponseWriter that can be claimed by one of several that would
// answer. Disclaim gives it back, if nothing was written.
type claimer interface {
	claim() error
	disclaim()
}

// beneath returns the ResponseWriter of this package that w was made of, if w embeds
// it or has an Unwrap that leads there.
func beneath[T any](w ResponseWriter) (own T, ok bool) {
	for {
		if own, ok = w.(T); ok {
			return own, true
		}
		wrapper, isWrapper := w.(interface{ Unwrap() ResponseWriter })
		if !isWrapper {
			return own, false
		}
		w = wrapper.Unwrap()
	}
}

// sendRest sends the part of a body that is a stream.
func sendRest(w ResponseWriter, src source) error {
	if src == nil {
		return nil
	}
	// An Exchange, or what is made of one.
	if ex, ok := beneath[interface{ stream(source) error }](w); ok {
		return ex.stream(src)
	}
	return copyStream(w, src)
}

// answersHead reports whether w is for a request with the method HEAD.
func answersHead(w ResponseWriter) bool {
	h, ok := beneath[interface{ isHead() bool }](w)
	return ok && h.isHead()
}

func (p Params) isHead() bool { return p.Get("REQUEST_METHOD") == http.MethodHead }

// headSize is the room for a response's head to start with.
const headSize = 512

// checkHead returns why a response cannot have this head.
func checkHead(code int, mimeType string, headers []Pair) error {
	if code != http.StatusSwitchingProtocols && (code < 200 || code > 999) {
		return fmt.Errorf("fastcgi: status code %d is not that of a response: 101, or 200 to 999", code)
	}
	if !cgi.ValidValue(mimeType) {
		return fmt.Errorf("fastcgi: media type %q has characters that a header cannot have", mimeType)
	}
	types, lengths, locations := min(1, len(mimeType)), 0, 0
	for _, h := range headers {
		switch {
		case !cgi.ValidName(h.Name) || !cgi.ValidValue(h.Value):
			return fmt.Errorf("fastcgi: header %q: %q has characters that a header cannot have", h.Name, h.Value)
		case strings.EqualFold(h.Name, "Status"):
			return fmt.Errorf("fastcgi: header %q: %q would be a second status beside code %d", h.Name, h.Value, code)
		case strings.EqualFold(h.Name, "Transfer-Encoding"):
			return fmt.Errorf("fastcgi: header %q: %q is about the connection to the client, which is the web server's", h.Name, h.Value)
		case strings.EqualFold(h.Name, "Content-Type"):
			types++
		case strings.EqualFold(h.Name, "Content-Length"):
			if _, err := strconv.ParseUint(h.Value, 10, 63); err != nil {
				return fmt.Errorf("fastcgi: header %q: %q is no number of bytes", h.Name, h.Value)
			}
			lengths++
		case strings.EqualFold(h.Name, "Location"):
			locations++
		}
		if max(types, lengths, locations) > 1 {
			return fmt.Errorf("fastcgi: header %q is given a second time", h.Name)
		}
	}
	return nil
}

// appendHead appends the head of a response, the empty line included.
//
// Location comes before Status, and the rest behind it: HAProxy takes a Location for
// status 302 even where a Status has said otherwise before. Others do not care.
func appendHead(b []byte, code int, mimeType string, headers []Pair) []byte {
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Location") {
			b = appendField(b, h.Name, h.Value)
		}
	}
	b = cgi.AppendStatus(b, code)
	if mimeType != "" {
		b = append(append(b, "Content-Type: "...), mimeType...)
		// Media types and the names of their parameters may be in either case.
		if lower := strings.ToLower(mimeType); strings.HasPrefix(lower, "text/") && !strings.Contains(lower, "charset=") {
			b = append(b, "; charset=utf-8"...)
		}
		b = append(b, "\r\n"...)
	}
	for _, h := range headers {
		if !strings.EqualFold(h.Name, "Location") {
			b = appendField(b, h.Name, h.Value)
		}
	}
	return append(b, "\r\n"...)
}

// appendField appends a header line. Append lets the head grow beyond its buffer of
// the pool, which is then left to the garbage collector.
func appendField(b []byte, name, value string) []byte {
	return append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
}
