package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// An answer is the application's response with its header read.
type answer struct {
	header cgi.ResponseHeader
	body   answerBody
}

// An answerBody is what follows the header: the rest of the piece that it ended
// in, then what has not been read yet.
type answerBody struct {
	rest []byte
	resp *client.Response
	err  error // of the Read that rest came with
}

// Read returns io.EOF together with the last bytes, if it was known then.
func (b *answerBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 && b.err == nil {
		return b.resp.Read(p)
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) > 0 {
		return n, nil
	}
	return n, b.err
}

// waiting reports whether the next Read may have to wait.
func (b *answerBody) waiting() bool { return len(b.rest) == 0 && b.err == nil }

// readAnswer reads the header. The answer uses buf.
func readAnswer(resp *client.Response, buf []byte) (*answer, error) {
	var parser cgi.HeaderParser
	for {
		n, err := resp.Read(buf)
		rest, done, headerErr := parser.Feed(buf[:n])
		switch {
		case headerErr != nil:
			return nil, headerErr
		case done:
			return &answer{parser.Header(), answerBody{rest, resp, err}}, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("the response ends within its header")
		case err != nil:
			return nil, err
		}
	}
}

// status returns the HTTP status (RFC 3875 §6.2).
func (a *answer) status() int {
	switch {
	case a.header.Status != 0:
		return a.header.Status
	case a.location() != "":
		return http.StatusFound
	}
	return http.StatusOK
}

func (a *answer) location() string { return a.header.Fields.Get("Location") }

// contentLength returns what the application announced, or -1.
func (a *answer) contentLength() (int64, error) {
	text, ok := a.header.Fields["Content-Length"]
	if !ok {
		return -1, nil
	}
	n, err := strconv.ParseUint(text[0], 10, 63)
	if err != nil {
		return 0, errors.New("Content-Length is no number")
	}
	return int64(n), nil
}

// hopByHop are the fields that are about a connection, and the gateway's to set
// (RFC 3875 §6.3.4, RFC 9110 §7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// copyHeader gives the fields to dst, without those that stay here.
func (a *answer) copyHeader(dst http.Header) {
	fields := a.header.Fields
	for _, list := range fields["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			fields.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		fields.Del(name)
	}
	// No type is no invitation to guess one (RFC 3875 §6.3.1).
	dst["Content-Type"] = nil
	for name, values := range fields {
		dst[name] = values
	}
}
