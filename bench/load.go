package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// params are the parameters of a GET as nginx sends them with its stock
// fastcgi_params.
var params = []struct{ name, value string }{
	{"QUERY_STRING", ""},
	{"REQUEST_METHOD", "GET"},
	{"CONTENT_TYPE", ""},
	{"CONTENT_LENGTH", ""},
	{"SCRIPT_NAME", "/hello"},
	{"REQUEST_URI", "/hello"},
	{"DOCUMENT_URI", "/hello"},
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
	{"HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
	{"HTTP_ACCEPT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
}

// request encodes the GET.
func request(keep bool) []byte {
	begin := protocol.BeginRequest{Role: protocol.RoleResponder}
	if keep {
		begin.Flags = protocol.FlagKeepConn
	}
	var block []byte
	for _, p := range params {
		block = protocol.AppendPair(block, p.name, p.value)
	}
	b := protocol.AppendBeginRequest(nil, 1, begin)
	b = protocol.AppendStream(b, protocol.TypeParams, 1, block)
	b = protocol.AppendStreamEnd(b, protocol.TypeParams, 1)
	return protocol.AppendStreamEnd(b, protocol.TypeStdin, 1)
}

// A load is work to give to a server.
type load struct {
	socket   string
	conns    int
	requests int
	keep     bool
}

// run sends the requests and returns how long each took, sorted.
func (l load) run() ([]time.Duration, error) {
	var (
		left    atomic.Int64
		wg      sync.WaitGroup
		mu      sync.Mutex
		all     []time.Duration
		failure error
	)
	left.Store(int64(l.requests))
	for range l.conns {
		wg.Go(func() {
			w := worker{socket: l.socket, out: request(l.keep), keep: l.keep, buf: make([]byte, 4096)}
			defer w.close()
			err := w.work(&left)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, w.took...)
			failure = errors.Join(failure, err)
		})
	}
	wg.Wait()
	slices.Sort(all)
	return all, failure
}

// A worker sends one request after another.
type worker struct {
	socket string
	out    []byte
	keep   bool
	conn   net.Conn
	buf    []byte
	took   []time.Duration
}

func (w *worker) work(left *atomic.Int64) error {
	for left.Add(-1) >= 0 {
		start := time.Now()
		if err := w.request(); err != nil {
			return err
		}
		w.took = append(w.took, time.Since(start))
	}
	return nil
}

// request sends one request and verifies its answer.
func (w *worker) request() error {
	if w.conn == nil {
		c, err := net.Dial("unix", w.socket)
		if err != nil {
			return err
		}
		w.conn = c
	}
	if _, err := w.conn.Write(w.out); err != nil {
		return err
	}
	body, err := w.answer()
	if err != nil {
		return err
	}
	if !bytes.HasSuffix(body, []byte("\nhello, world\n")) {
		return fmt.Errorf("answer is %q", body)
	}
	if !w.keep {
		w.close()
	}
	return nil
}

// answer reads to END_REQUEST and returns what came on STDOUT. It is simple, and
// so quick: the core that it runs on is not the one that is measured.
func (w *worker) answer() ([]byte, error) {
	have := 0
	for {
		n, err := w.conn.Read(w.buf[have:])
		have += n
		if body, done := decode(w.buf[:have]); done {
			return body, nil
		}
		if err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
}

// decode joins the STDOUT records of an answer, and reports whether it is whole.
func decode(b []byte) (body []byte, done bool) {
	for len(b) >= protocol.HeaderLen {
		h := protocol.ParseHeader(b)
		size := protocol.HeaderLen + int(h.ContentLength) + int(h.PaddingLength)
		if len(b) < size {
			return nil, false
		}
		switch h.Type {
		case protocol.TypeStdout:
			body = append(body, b[protocol.HeaderLen:protocol.HeaderLen+int(h.ContentLength)]...)
		case protocol.TypeEndRequest:
			return body, true
		}
		b = b[size:]
	}
	return nil, false
}

func (w *worker) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
