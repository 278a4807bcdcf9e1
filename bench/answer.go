//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

// want is the body that an answer must have: a text, or so many bytes of the
// pattern; or any, if it is neither.
type want struct {
	text    string
	pattern int64
}

const helloText = "hello, world\n"

// expect is what the answers to a task are.
func expect(t task) want {
	switch t.do {
	case "bytes":
		return want{pattern: t.size}
	case "count":
		return want{text: fmt.Sprintln(t.size)}
	case "digest":
		h := sha256.New()
		for range t.size / pieceSize {
			h.Write(uploadPiece)
		}
		return want{text: fmt.Sprintf("%x %d\n", h.Sum(nil), t.size)}
	}
	return want{text: helloText}
}

func bytesQuery(size int64) string { return fmt.Sprintf("size=%d", size) }

const period = 251

// patternPiece is enough of the pattern to compare a record with, wherever in
// the body it begins.
var patternPiece = webhandler.Pattern(64*kib + period)

// An answer is compared as it comes with what it must be.
type answer struct {
	want   want
	header []byte // so far, while inBody is false
	inBody bool
	got    int64  // bytes of the body
	text   []byte // the body, where any will do
	wrong  error
}

// reset makes it ready for the next answer.
func (a *answer) reset() {
	a.header, a.inBody, a.got, a.text, a.wrong = a.header[:0], false, 0, a.text[:0], nil
}

// cgi takes a piece of a CGI response.
func (a *answer) cgi(p []byte) {
	if a.inBody {
		a.body(p)
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
	a.body(rest)
}

// status looks whether a CGI response says that all is well: it does if it says
// nothing.
func (a *answer) status(header []byte) {
	_, value, ok := bytes.Cut(header, []byte("Status: "))
	if ok && !bytes.HasPrefix(value, []byte("200")) {
		a.fail("the header is %q", header)
	}
}

// body takes a piece of the body.
func (a *answer) body(p []byte) {
	at := a.got
	a.got += int64(len(p))
	switch {
	case a.want.text != "":
		if a.got > int64(len(a.want.text)) || string(p) != a.want.text[at:a.got] {
			a.fail("at byte %d of the body comes %.80q, and the whole was to be %.80q", at, p, a.want.text)
		}
	case a.want.pattern > 0:
		for len(p) > 0 {
			piece := p[:min(len(p), 64*kib)]
			if !bytes.HasPrefix(patternPiece[at%period:], piece) {
				a.fail("the body is not the pattern after byte %d", at)
			}
			p, at = p[len(piece):], at+int64(len(piece))
		}
	default:
		a.text = append(a.text, p...)
	}
}

func (a *answer) fail(format string, args ...any) {
	if a.wrong == nil {
		a.wrong = fmt.Errorf("wrong answer: "+format, args...)
	}
}

// verify says what is wrong with an answer that is complete.
func (a *answer) verify() error {
	length := max(int64(len(a.want.text)), a.want.pattern)
	switch {
	case a.wrong != nil:
		return a.wrong
	case !a.inBody:
		a.fail("it is no CGI response: %.80q", a.header)
	case length > 0 && a.got != length:
		a.fail("the body has %d bytes instead of %d", a.got, length)
	}
	return a.wrong
}

// said is the body, where any would do.
func (a *answer) said() string { return strings.TrimSpace(string(a.text)) }
