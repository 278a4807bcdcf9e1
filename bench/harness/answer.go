//go:build linux

package harness

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

// Want is the body that an answer must have: a text, or so many bytes of the
// pattern, or so many of any; or whatever comes, if it is nothing of these.
type Want struct {
	Text    string
	Pattern int64
	Length  int64
}

const period = 251

// patternPiece is enough of the pattern to compare a record with, wherever in
// the body it begins.
var patternPiece = webhandler.Pattern(64*KiB + period)

// An Answer is compared as it comes with what it must be.
type Answer struct {
	Want   Want
	header []byte // so far, while inBody is false
	inBody bool
	got    int64  // bytes of the body
	text   []byte // the body, where any will do
	wrong  error
}

// Reset makes it ready for the next answer.
func (a *Answer) Reset() {
	a.header, a.inBody, a.got, a.text, a.wrong = a.header[:0], false, 0, a.text[:0], nil
}

// CGI takes a piece of a CGI response.
func (a *Answer) CGI(p []byte) {
	if a.inBody {
		a.Body(p)
		return
	}
	a.header = append(a.header, p...)
	end := bytes.Index(a.header, []byte("\r\n\r\n"))
	if end < 0 {
		return
	}
	rest := a.header[end+4:]
	a.status(a.header[:end])
	a.inBody = true
	a.Body(rest)
}

// status looks whether a CGI response says that all is well: it does if it says
// nothing.
func (a *Answer) status(header []byte) {
	_, value, ok := bytes.Cut(header, []byte("Status: "))
	if ok && !bytes.HasPrefix(value, []byte("200")) {
		a.Fail("the header is %q", header)
	}
}

// Body takes a piece of the body.
func (a *Answer) Body(p []byte) {
	at := a.got
	a.got += int64(len(p))
	switch {
	case a.Want.Text != "":
		if a.got > int64(len(a.Want.Text)) || string(p) != a.Want.Text[at:a.got] {
			a.Fail("at byte %d of the body comes %.80q, and the whole was to be %.80q", at, p, a.Want.Text)
		}
	case a.Want.Pattern > 0:
		for len(p) > 0 {
			piece := p[:min(len(p), 64*KiB)]
			if !bytes.HasPrefix(patternPiece[at%period:], piece) {
				a.Fail("the body is not the pattern after byte %d", at)
			}
			p, at = p[len(piece):], at+int64(len(piece))
		}
	case a.Want.Length > 0:
	default:
		a.text = append(a.text, p...)
	}
}

// NoHeader says that what comes is the body, its header being somebody else's.
func (a *Answer) NoHeader() { a.inBody = true }

// Fail notes that the answer is wrong, and the first reason why.
func (a *Answer) Fail(format string, args ...any) {
	if a.wrong == nil {
		a.wrong = fmt.Errorf("wrong answer: "+format, args...)
	}
}

// Verify says what is wrong with an answer that is complete.
func (a *Answer) Verify() error {
	length := max(int64(len(a.Want.Text)), a.Want.Pattern, a.Want.Length)
	switch {
	case a.wrong != nil:
		return a.wrong
	case !a.inBody:
		a.Fail("it is no CGI response: %.80q", a.header)
	case length > 0 && a.got != length:
		a.Fail("the body has %d bytes instead of %d", a.got, length)
	}
	return a.wrong
}

// Said is the body, where any would do.
func (a *Answer) Said() string { return strings.TrimSpace(string(a.text)) }
