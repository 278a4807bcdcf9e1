package cgi_test

import (
	"bytes"
	"errors"
	"net/textproto"
	"reflect"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

type fields = textproto.MIMEHeader

// headerTests are header blocks that end where block does, and what they mean.
var headerTests = []struct {
	name   string
	block  string
	status int
	fields fields
	err    error
}{
	{name: "G1 content type alone", block: "Content-Type: text/html\n\n", fields: fields{"Content-Type": {"text/html"}}},
	{name: "G1 status alone", block: "Status: 401\n\n", status: 401},
	{name: "G2 location alone", block: "Location: /here\r\n\r\n", fields: fields{"Location": {"/here"}}},
	{
		name: "G3 all three", block: "Status: 303 See Other\r\nContent-Type: a/b\r\nLocation: http://h/\r\n\r\n",
		status: 303, fields: fields{"Content-Type": {"a/b"}, "Location": {"http://h/"}},
	},
	{name: "G4 no reason", block: "Status:200\n\n", status: 200},
	{name: "G4 empty reason", block: "Status: 200 \n\n", status: 200},
	{name: "G4 lowest", block: "Status: 100\n\n", status: 100},
	{name: "G4 highest", block: "Status: 599\n\n", status: 599},
	{name: "G4 below", block: "Status: 099\n\n", err: cgi.ErrMalformedHeader},
	{name: "G4 above", block: "Status: 600\n\n", err: cgi.ErrMalformedHeader},
	{name: "G4 letter", block: "Status: 2x0\n\n", err: cgi.ErrMalformedHeader},
	{name: "G4 two digits", block: "Status: 99\n\n", err: cgi.ErrMalformedHeader},
	{name: "G4 four digits", block: "Status: 2000\n\n", err: cgi.ErrMalformedHeader},
	{name: "G4 nothing", block: "Status:\n\n", err: cgi.ErrMalformedHeader},
	{name: "G4 twice", block: "Status: 200\nStatus: 200\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 content type twice", block: "Content-Type: a/b\ncontent-type: a/b\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 location twice", block: "Location: /a\nLocation: /b\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 length twice", block: "Status: 200\nContent-Length: 1\nContent-Length: 1\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 any case", block: "cOnTeNt-tYpE: a/b\nx-foo: 1\n\n", fields: fields{"Content-Type": {"a/b"}, "X-Foo": {"1"}}},
	{name: "G5 mixed line ends", block: "Content-Type: a/b\r\nX: 1\n\r\n", fields: fields{"Content-Type": {"a/b"}, "X": {"1"}}},
	{name: "G5 repeated", block: "Status: 200\nSet-Cookie: a\nSet-Cookie: b\n\n", status: 200, fields: fields{"Set-Cookie": {"a", "b"}}},
	{name: "G5 trimmed", block: "Status: 200\nX: \t a b\t \n\n", status: 200, fields: fields{"X": {"a b"}}},
	{name: "G5 empty value", block: "Status: 200\nX:\n\n", status: 200, fields: fields{"X": {""}}},
	{name: "G5 colons in value", block: "Status: 200\nX: a:b: c\n\n", status: 200, fields: fields{"X": {"a:b: c"}}},
	{name: "G5 folded", block: "Content-Type: a/b\n c\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 folded with tab", block: "Content-Type: a/b\n\tc\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 folded first", block: " Content-Type: a/b\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 space before colon", block: "Content-Type : a/b\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 no colon", block: "Content-Type: a/b\nnonsense\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 no name", block: ": a\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 no CGI field", block: "X-Foo: 1\nSet-Cookie: a\n\n", err: cgi.ErrMalformedHeader},
	{name: "G5 empty block", block: "\r\n", err: cgi.ErrMalformedHeader},
	{name: "A43 NPH", block: "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n", err: cgi.ErrMalformedHeader},
	{name: "CVE-2024-42516 CR in value", block: "Content-Type: a/b\rSet-Cookie: x\n\n", err: cgi.ErrMalformedHeader},
	{name: "CVE-2024-42516 CR CR LF", block: "Content-Type: a/b\r\r\n\r\n", err: cgi.ErrMalformedHeader},
	{name: "CVE-2024-42516 NUL in value", block: "Content-Type: a\x00b\n\n", err: cgi.ErrMalformedHeader},
	{name: "CVE-2024-42516 CR in name", block: "X\rY: 1\nStatus: 200\n\n", err: cgi.ErrMalformedHeader},
	{name: "CVE-2024-42516 NUL in name", block: "X\x00: 1\nStatus: 200\n\n", err: cgi.ErrMalformedHeader},
}

func TestHeaderParser(t *testing.T) {
	for _, tt := range headerTests {
		t.Run(tt.name, func(t *testing.T) {
			for _, body := range []string{"", "\n", "body: 1\n\nmore"} {
				for _, size := range []int{len(tt.block) + len(body), 1, 3} {
					check(t, tt.block+body, size, cgi.ResponseHeader{Status: tt.status, Fields: tt.fields}, tt.err, body)
				}
			}
		})
	}
}

// check parses input in pieces of size bytes.
func check(t *testing.T, input string, size int, want cgi.ResponseHeader, wantErr error, wantBody string) {
	t.Helper()
	header, body, done, err := parse([]byte(input), size)
	switch {
	case !errors.Is(err, wantErr):
		t.Errorf("in pieces of %d: error %v, want %v", size, err, wantErr)
	case err != nil:
	case !done:
		t.Errorf("in pieces of %d: not done", size)
	case !reflect.DeepEqual(header, want):
		t.Errorf("in pieces of %d: header %v, want %v", size, header, want)
	case string(body) != wantBody:
		t.Errorf("in pieces of %d: body %q, want %q", size, body, wantBody)
	}
}

func parse(input []byte, size int) (header cgi.ResponseHeader, body []byte, done bool, err error) {
	var p cgi.HeaderParser
	for len(input) > 0 {
		n := min(size, len(input))
		var rest []byte
		rest, done, err = p.Feed(input[:n])
		input = input[n:]
		if done || err != nil {
			return p.Header(), append(bytes.Clone(rest), input...), done, err
		}
	}
	return p.Header(), nil, false, nil
}

// CVE-2014-3583: a block that ends nowhere is not read for ever, and nothing
// depends on where a buffer of 8 KiB ends.
func TestHeaderParserLimit(t *testing.T) {
	for _, tt := range []struct {
		size int
		err  error
	}{
		{8191, nil},
		{8192, nil},
		{8193, nil},
		{cgi.MaxHeaderBytes - 1, nil},
		{cgi.MaxHeaderBytes, nil},
		{cgi.MaxHeaderBytes + 1, cgi.ErrHeaderTooLarge},
	} {
		const start, end = "Status: 200\nX: ", "\n\n"
		value := strings.Repeat("v", tt.size-len(start)-len(end))
		want := cgi.ResponseHeader{Status: 200, Fields: fields{"X": {value}}}
		// However much follows in the same piece is no part of the block.
		body := strings.Repeat("b", cgi.MaxHeaderBytes)
		for _, piece := range []int{1, 4096, 2 * cgi.MaxHeaderBytes} {
			check(t, start+value+end+body, piece, want, tt.err, body)
		}
	}
}

func TestHeaderParserLimitWithoutEnd(t *testing.T) {
	for _, line := range []string{"", "X: 1\n"} {
		var p cgi.HeaderParser
		p.Feed([]byte("Status: 200\n" + line))
		_, done, err := p.Feed(bytes.Repeat([]byte("x"), cgi.MaxHeaderBytes))
		if done || !errors.Is(err, cgi.ErrHeaderTooLarge) {
			t.Errorf("after %q: done %v, error %v", line, done, err)
		}
	}
}

// FuzzHeaderParser holds that the verdict does not depend on how the block is
// cut, that errors are of the two kinds, and that no accepted field could mean
// anything but itself when it is written out as a line.
func FuzzHeaderParser(f *testing.F) {
	for _, tt := range headerTests {
		f.Add([]byte(tt.block+"body"), uint8(1))
	}
	f.Fuzz(func(t *testing.T, input []byte, size uint8) {
		header, body, done, err := parse(input, len(input)+1)
		cutHeader, cutBody, cutDone, cutErr := parse(input, int(size)+1)
		if done != cutDone || (err == nil) != (cutErr == nil) {
			t.Fatalf("whole: done %v, error %v; in pieces: done %v, error %v", done, err, cutDone, cutErr)
		}
		if err != nil {
			if !errors.Is(err, cgi.ErrMalformedHeader) && !errors.Is(err, cgi.ErrHeaderTooLarge) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if !reflect.DeepEqual(header, cutHeader) || !bytes.Equal(body, cutBody) {
			t.Fatalf("whole: %v, body %q; in pieces: %v, body %q", header, body, cutHeader, cutBody)
		}
		if done && !bytes.HasSuffix(input, body) {
			t.Fatalf("body %q is not the end of the input", body)
		}
		for name, values := range header.Fields {
			for _, v := range values {
				if !cgi.ValidName(name) || !cgi.ValidValue(v) {
					t.Fatalf("accepted %q: %q", name, v)
				}
			}
		}
	})
}
