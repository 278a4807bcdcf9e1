//go:build linux

package main

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// response encodes a response of the request with an id.
func response(id uint16, stdout string, end protocol.EndRequest) string {
	b := protocol.AppendStream(nil, protocol.TypeStdout, id, []byte(stdout))
	return string(protocol.AppendEndRequest(b, id, end))
}

// canned is a server that answers whatever comes with the same bytes, and closes
// the connection.
func canned(t *testing.T, reply string) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 64*kib))
			io.WriteString(c, reply)
			c.Close()
		}
	}()
	return socket
}

const (
	goodHeader = "Content-Type: text/plain\r\n\r\n"
	goodHello  = goodHeader + helloText
)

func TestWrongAnswersAreSeen(t *testing.T) {
	pattern := string(webhandler.Pattern(200 * kib))
	damaged := pattern[:100*kib] + "!" + pattern[100*kib+1:]
	ok := protocol.EndRequest{}
	hello, large := harness.Want{Text: helloText}, harness.Want{Pattern: 200 * kib}
	for name, tt := range map[string]struct {
		want  harness.Want
		reply string
		says  string // empty if the answer is right
	}{
		"hello":              {hello, response(1, goodHello, ok), ""},
		"hello with status":  {hello, response(1, "Status: 200 OK\r\n"+goodHello, ok), ""},
		"pattern":            {large, response(1, goodHeader+pattern, ok), ""},
		"other text":         {hello, response(1, goodHeader+"hello, wurld\n", ok), "at byte 0"},
		"too short":          {hello, response(1, goodHeader+"hello", ok), "5 bytes instead of 13"},
		"too long":           {hello, response(1, goodHello+"!", ok), "at byte 0"},
		"no header":          {hello, response(1, helloText, ok), "no CGI response"},
		"nothing":            {hello, response(1, "", ok), "no CGI response"},
		"status 500":         {hello, response(1, "Status: 500 Oh\r\n"+goodHello, ok), "500 Oh"},
		"appStatus":          {hello, response(1, goodHello, protocol.EndRequest{AppStatus: 3}), "appStatus 3"},
		"overloaded":         {hello, response(1, "", protocol.EndRequest{Status: protocol.StatusOverloaded}), "OVERLOADED"},
		"cut off":            {hello, response(1, goodHello, ok)[:20], "unexpected EOF"},
		"cut off in padding": {hello, "\x01\x03\x00\x01\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00", "unexpected EOF"},
		"closed":             {hello, "", "unexpected EOF"},
		"on stderr": {
			hello, string(protocol.AppendStream(nil, protocol.TypeStderr, 1, []byte("oh"))) + response(1, goodHello, ok),
			`says "oh"`,
		},
		"damaged pattern":     {large, response(1, goodHeader+damaged, ok), "not the pattern"},
		"pattern that is cut": {large, response(1, goodHeader+pattern[:150*kib], ok), "instead of"},
	} {
		t.Run(name, func(t *testing.T) {
			l := load{socket: canned(t, tt.reply), dialect: fastCGI{}, want: tt.want, conns: 1, requests: 1, limit: time.Second}
			_, err := l.run(1)
			expectError(t, err, tt.says)
		})
	}
}

func TestWrongHTTPAnswersAreSeen(t *testing.T) {
	for name, tt := range map[string]struct{ reply, says string }{
		"hello":      {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + helloText, ""},
		"chunked":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n" + helloText + "\r\n0\r\n\r\n", ""},
		"status":     {"HTTP/1.1 502 Bad\r\nContent-Length: 13\r\n\r\n" + helloText, "502 Bad"},
		"other text": {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello, wurld\n", "at byte 0"},
		"cut off":    {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello", "unexpected EOF"},
		"closed":     {"", "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			l := load{
				socket: canned(t, tt.reply), dialect: webHTTP{}, want: harness.Want{Text: helloText},
				conns: 1, requests: 1, limit: time.Second,
			}
			_, err := l.run(1)
			expectError(t, err, tt.says)
		})
	}
}

func TestWrongMultiplexedAnswersAreSeen(t *testing.T) {
	ok := protocol.EndRequest{}
	one, two := response(1, goodHello, ok), response(2, goodHello, ok)
	for name, tt := range map[string]struct{ reply, says string }{
		"in order":         {one + two, ""},
		"out of order":     {two + one, ""},
		"interleaved":      {one[:len(one)-16] + two + one[len(one)-16:], ""},
		"one twice":        {one + one, "request 1, which is not open"},
		"an id too many":   {one + response(3, goodHello, ok), "request 3"},
		"of no request":    {one + response(0, goodHello, ok), "request 0"},
		"only one":         {one, "unexpected EOF"},
		"other text":       {one + response(2, goodHeader+"hello, wurld\n", ok), "at byte 0"},
		"one is cut short": {one + response(2, goodHeader+"he", ok), "2 bytes instead of 13"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &load{socket: canned(t, tt.reply), dialect: fastCGI{}, want: harness.Want{Text: helloText}}
			m, err := newMux(l, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer m.close()
			o, err := m.run(2, time.Second)
			expectError(t, err, tt.says)
			if err == nil && len(o.took) != 2 {
				t.Errorf("%d requests were timed, not 2", len(o.took))
			}
		})
	}
}

func expectError(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("a right answer: %v", err)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("error is %v, want one with %q", err, says)
	}
}

// TestUploadIsWhole takes an upload apart again.
func TestUploadIsWhole(t *testing.T) {
	m := fastCGI{}.encode(question{upload: 3 * pieceSize})
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(m.send(pw)) }()
	in := bufio.NewReaderSize(pr, 64*kib)
	var body int64
	for {
		h, err := readHeader(in)
		if err != nil {
			t.Fatal(err)
		}
		if h.Type == protocol.TypeStdin && h.ContentLength == 0 {
			break
		}
		if h.Type == protocol.TypeStdin {
			body += int64(h.ContentLength)
		}
		if _, err := in.Discard(int(h.ContentLength) + int(h.PaddingLength)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("there is more after the end of STDIN: %v", err)
	}
	if body != 3*pieceSize {
		t.Errorf("the body has %d bytes instead of %d", body, 3*pieceSize)
	}
}
