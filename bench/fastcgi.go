//go:build linux

package main

import (
	"bufio"
	"cmp"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
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
	for _, p := range harness.Params(q.script, q.query, q.upload) {
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

func (fastCGI) read(in *bufio.Reader, a *harness.Answer) error {
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
func readContent(in *bufio.Reader, h protocol.Header, a *harness.Answer) (done bool, err error) {
	take := a.CGI
	switch h.Type {
	case protocol.TypeStdout:
	case protocol.TypeEndRequest:
		done, take = true, func(p []byte) { takeEnd(a, p) }
	default:
		take = func(p []byte) { a.Fail("a record of type %v says %.200q", h.Type, p) }
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

// takeEnd takes the content of END_REQUEST.
func takeEnd(a *harness.Answer, p []byte) {
	e, err := protocol.ParseEndRequest(p)
	if err != nil {
		a.Fail("%w", err)
	} else if e.Status != protocol.StatusRequestComplete || e.AppStatus != 0 {
		a.Fail("it ends with %v, appStatus %d", e.Status, e.AppStatus)
	}
}
