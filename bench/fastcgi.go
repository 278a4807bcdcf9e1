//go:build linux

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"strconv"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// fastCGI is the dialect of most peers.
type fastCGI struct{}

const (
	pieceSize  = 256 * kib
	recordSize = 32 * kib // as nginx cuts bodies
)

// uploadPiece is what bodies consist of.
var uploadPiece = webhandler.Pattern(pieceSize)

func (fastCGI) encode(q question) message {
	id := cmp.Or(q.id, 1)
	begin := protocol.BeginRequest{Role: protocol.RoleResponder}
	if q.keep {
		begin.Flags = protocol.FlagKeepConn
	}
	var block []byte
	for _, p := range params(q) {
		block = protocol.AppendPair(block, p[0], p[1])
	}
	m := message{times: int(q.upload / pieceSize)}
	m.head = protocol.AppendBeginRequest(nil, id, begin)
	m.head = protocol.AppendStream(m.head, protocol.TypeParams, id, block)
	m.head = protocol.AppendStreamEnd(m.head, protocol.TypeParams, id)
	if m.times == 0 {
		m.head = protocol.AppendStreamEnd(m.head, protocol.TypeStdin, id)
		return m
	}
	for at := 0; at < pieceSize; at += recordSize {
		m.piece = protocol.AppendRecord(m.piece, protocol.TypeStdin, id, uploadPiece[at:at+recordSize])
	}
	m.tail = protocol.AppendStreamEnd(nil, protocol.TypeStdin, id)
	return m
}

// params are twenty parameters, as nginx sends them with its fastcgi.conf.
func params(q question) [][2]string {
	method, length, kind := "GET", "", ""
	if q.upload > 0 {
		method, length, kind = "POST", strconv.FormatInt(q.upload, 10), "application/octet-stream"
	}
	return [][2]string{
		{"SCRIPT_FILENAME", q.script},
		{"QUERY_STRING", q.query},
		{"REQUEST_METHOD", method},
		{"CONTENT_TYPE", kind},
		{"CONTENT_LENGTH", length},
		{"SCRIPT_NAME", "/hello"},
		{"REQUEST_URI", requestURI(q)},
		{"DOCUMENT_ROOT", "/usr/share/nginx/html"},
		{"SERVER_PROTOCOL", "HTTP/1.1"},
		{"REQUEST_SCHEME", "http"},
		{"GATEWAY_INTERFACE", "CGI/1.1"},
		{"SERVER_SOFTWARE", "nginx/1.22.1"},
		{"REMOTE_ADDR", "127.0.0.1"},
		{"REMOTE_PORT", "54321"},
		{"SERVER_ADDR", "127.0.0.1"},
		{"SERVER_PORT", "80"},
		{"SERVER_NAME", "localhost"},
		{"HTTP_HOST", "localhost"},
		{"HTTP_USER_AGENT", userAgent},
		{"HTTP_ACCEPT", accept},
	}
}

const (
	userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	accept    = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
)

func requestURI(q question) string {
	if q.query == "" {
		return "/hello"
	}
	return "/hello?" + q.query
}

func (fastCGI) read(in *bufio.Reader, a *answer) error {
	for {
		h, err := readHeader(in)
		if err != nil {
			return err
		}
		if done, err := readContent(in, h, a); done || err != nil {
			return err
		}
	}
}

func readHeader(in *bufio.Reader) (h protocol.Header, err error) {
	b, err := in.Peek(protocol.HeaderLen)
	if err != nil {
		return h, err
	}
	h = protocol.ParseHeader(b)
	_, err = in.Discard(protocol.HeaderLen)
	return h, err
}

// readContent reads what follows the header of a record, and reports whether
// that ends the answer.
func readContent(in *bufio.Reader, h protocol.Header, a *answer) (done bool, err error) {
	take := a.cgi
	switch h.Type {
	case protocol.TypeStdout:
	case protocol.TypeEndRequest:
		done, take = true, a.end
	default:
		take = func(p []byte) { a.fail("a record of type %v says %.200q", h.Type, p) }
	}
	for left := int(h.ContentLength); left > 0; {
		// A record may be larger than the buffer, and an END_REQUEST is whole
		// in it.
		if _, err := in.Peek(min(left, 8)); err != nil {
			return false, ended(err)
		}
		p, _ := in.Peek(min(left, in.Buffered()))
		take(p)
		left -= len(p)
		in.Discard(len(p))
	}
	_, err = in.Discard(int(h.PaddingLength))
	return done, ended(err)
}

// end takes the content of END_REQUEST.
func (a *answer) end(p []byte) {
	e, err := protocol.ParseEndRequest(p)
	if err != nil {
		a.wrong = fmt.Errorf("wrong answer: %w", err)
	} else if e.Status != protocol.StatusRequestComplete || e.AppStatus != 0 {
		a.fail("it ends with %v, appStatus %d", e.Status, e.AppStatus)
	}
}
