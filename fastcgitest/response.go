package fastcgitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Response is what an application answered.
type Response struct {
	// StatusCode is the HTTP status that a web server would send: that of the
	// Status field; without one 302 if there is a Location, and 200 otherwise.
	StatusCode int
	// Header has the other fields of the response's head.
	Header http.Header
	// Variables are what an authorizer has the web server add to the HTTP request:
	// AUTH_USER for the field Variable-AUTH_USER (§6.3). Their names are as the
	// application wrote them.
	Variables []fastcgi.Pair
	// Body is what follows the head.
	Body []byte

	// Stdout is all of FCGI_STDOUT, head and body, byte for byte.
	Stdout []byte
	// Stderr is what was written to FCGI_STDERR, for the web server's error log.
	Stderr []byte
	// AppStatus is what a CGI program would have exited with (§5.5): 0 where all
	// went well, 2 after a panic.
	AppStatus uint32
	// ProtocolStatus says whether the server took the request (§5.5). Another one
	// than StatusRequestComplete comes with an error.
	ProtocolStatus protocol.Status
}

// Result returns the response as an HTTP client would get it from a web server
// that changes nothing.
func (r *Response) Result() *http.Response {
	length := int64(len(r.Body))
	if n, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		length = n
	}
	return &http.Response{
		Status:        strings.TrimSpace(fmt.Sprintf("%03d %s", r.StatusCode, cgi.StatusText(r.StatusCode))),
		StatusCode:    r.StatusCode,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.Header.Clone(),
		Body:          io.NopCloser(bytes.NewReader(r.Body)),
		ContentLength: length,
	}
}

var errNoHeadEnd = errors.New("it ends within its head")

// parse takes Stdout apart.
func (r *Response) parse() error {
	var parser cgi.HeaderParser
	rest, done, err := parser.Feed(r.Stdout)
	switch {
	case err != nil:
		return err
	case !done:
		return errNoHeadEnd
	}
	head := parser.Header()
	r.Header = http.Header(head.Fields)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Body = rest
	r.Variables = headVariables(r.Stdout[:len(r.Stdout)-len(rest)])
	switch {
	case head.Status != 0:
		r.StatusCode = head.Status
	case r.Header.Get("Location") != "":
		r.StatusCode = http.StatusFound
	default:
		r.StatusCode = http.StatusOK
	}
	return nil
}

// headVariables returns the Variable fields of a head that was parsed. The parser
// changes the case of their names.
func headVariables(head []byte) (variables []fastcgi.Pair) {
	const prefix = "Variable-"
	for line := range strings.Lines(string(head)) {
		field, value, _ := strings.Cut(line, ":")
		if len(field) > len(prefix) && strings.EqualFold(field[:len(prefix)], prefix) {
			variables = append(variables, fastcgi.Pair{Name: field[len(prefix):], Value: strings.TrimSpace(value)})
		}
	}
	return variables
}

// excerptLen is how many bytes of a response an error shows.
const excerptLen = 512

// excerpt returns what was written to STDOUT and STDERR, for an error.
func (r *Response) excerpt() string {
	text := "nothing was written to STDOUT"
	if n := len(r.Stdout); n > excerptLen {
		text = fmt.Sprintf("STDOUT has %d bytes, which begin with %q", n, r.Stdout[:excerptLen])
	} else if n > 0 {
		text = fmt.Sprintf("STDOUT has %q", r.Stdout)
	}
	if len(r.Stderr) > 0 {
		text += fmt.Sprintf(", STDERR has %q", r.Stderr[:min(len(r.Stderr), excerptLen)])
	}
	if r.AppStatus != 0 {
		text += fmt.Sprintf(", appStatus is %d", r.AppStatus)
	}
	return text
}
