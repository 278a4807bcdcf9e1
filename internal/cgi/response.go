package cgi

import (
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
)

// MaxHeaderBytes is the largest header block that a response may start with,
// the blank line included.
const MaxHeaderBytes = 64 << 10

// The errors of a [HeaderParser], for errors.Is.
var (
	ErrMalformedHeader = errors.New("fastcgi: malformed response header")
	ErrHeaderTooLarge  = errors.New("fastcgi: response header is larger than 64 KiB")
)

// A ResponseHeader is the header block of a CGI response (RFC 3875 §6.3).
type ResponseHeader struct {
	// Status is the status code from the Status field, 100 to 599, or zero
	// where there was none.
	Status int
	// Fields are the other fields, under their canonical names.
	Fields textproto.MIMEHeader
}

// A HeaderParser finds the header block at the start of a response, however the
// response is cut into pieces. The zero value is ready.
type HeaderParser struct {
	line   []byte // the line in progress
	lines  int    // lines before it
	size   int    // bytes so far
	header ResponseHeader
}

// Feed takes the next piece of the response. Once the blank line was read, done
// is true and rest, which aliases p, is what follows it: the start of the body.
//
// A header block that breaks a rule is an [ErrMalformedHeader]:
//
//   - A line is NAME ":" VALUE and ends in LF or CRLF. The name is a token, with
//     no space before the colon; folded lines are illegal (§6.3).
//   - A value has no control characters ([ValidValue]).
//   - Content-Type, Location and Status appear at most once, and one of them at
//     least once (§6.3). Content-Length appears at most once, too.
//   - The value of Status starts with three digits, 100 to 599 (§6.3.3).
//
// One that is longer than MaxHeaderBytes is an [ErrHeaderTooLarge].
func (p *HeaderParser) Feed(b []byte) (rest []byte, done bool, err error) {
	for {
		line, after, whole := bytes.Cut(b, []byte{'\n'})
		p.size += len(b) - len(after)
		if p.size > MaxHeaderBytes {
			return nil, false, ErrHeaderTooLarge
		}
		p.line = append(p.line, line...)
		if !whole {
			return nil, false, nil
		}
		b = after
		text := bytes.TrimSuffix(p.line, []byte{'\r'})
		if len(text) == 0 {
			return b, true, p.finish()
		}
		p.lines++
		if err := p.field(text); err != nil {
			return nil, false, err
		}
		p.line = p.line[:0]
	}
}

// Header returns the header block. It is complete once Feed returned done.
func (p *HeaderParser) Header() ResponseHeader { return p.header }

// field takes one line, without its end.
func (p *HeaderParser) field(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		return p.malformed("it is folded")
	}
	name, value, found := bytes.Cut(line, []byte{':'})
	if !found {
		return p.malformed("it has no colon")
	}
	if !ValidName(string(name)) {
		return p.malformed("%q is no name", name)
	}
	key := textproto.CanonicalMIMEHeaderKey(string(name))
	text := string(bytes.Trim(value, " \t"))
	if !ValidValue(text) {
		return p.malformed("the value of %s has a control character", key)
	}
	return p.set(key, text)
}

func (p *HeaderParser) set(key, value string) error {
	switch key {
	case "Status":
		if p.header.Status != 0 {
			return p.malformed("a second Status")
		}
		code, ok := parseStatus(value)
		if !ok {
			return p.malformed("%q is no status", value)
		}
		p.header.Status = code
		return nil
	case "Content-Type", "Content-Length", "Location":
		if p.header.Fields[key] != nil {
			return p.malformed("a second %s", key)
		}
	}
	if p.header.Fields == nil {
		p.header.Fields = make(textproto.MIMEHeader)
	}
	p.header.Fields[key] = append(p.header.Fields[key], value)
	return nil
}

// parseStatus reads "404" or "404 Not Found".
func parseStatus(s string) (code int, ok bool) {
	if len(s) > 3 && s[3] != ' ' || len(s) < 3 {
		return 0, false
	}
	for i := range 3 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		code = code*10 + int(s[i]-'0')
	}
	return code, 100 <= code && code <= 599
}

func (p *HeaderParser) finish() error {
	f := p.header.Fields
	if p.header.Status == 0 && f["Content-Type"] == nil && f["Location"] == nil {
		return fmt.Errorf("%w: none of Content-Type, Location and Status", ErrMalformedHeader)
	}
	return nil
}

func (p *HeaderParser) malformed(format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrMalformedHeader, p.lines, fmt.Sprintf(format, args...))
}
