package protocol_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/fcgi"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// twentyParams are what nginx sends for a GET request, more or less.
var twentyParams = nv("QUERY_STRING", "") + nv("REQUEST_METHOD", "GET") + nv("CONTENT_TYPE", "") + nv("CONTENT_LENGTH", "") +
	nv("SCRIPT_NAME", "/index") + nv("REQUEST_URI", "/index") + nv("DOCUMENT_URI", "/index") + nv("DOCUMENT_ROOT", "/srv/www") +
	nv("SERVER_PROTOCOL", "HTTP/1.1") + nv("REQUEST_SCHEME", "http") + nv("GATEWAY_INTERFACE", "CGI/1.1") +
	nv("SERVER_SOFTWARE", "nginx/1.22.1") + nv("REMOTE_ADDR", "192.0.2.17") + nv("REMOTE_PORT", "53122") +
	nv("SERVER_ADDR", "192.0.2.1") + nv("SERVER_PORT", "80") + nv("SERVER_NAME", "www.example.org") +
	nv("HTTP_HOST", "www.example.org") + nv("HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0") +
	nv("HTTP_ACCEPT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")

var (
	getWire  = wire(begin(1, responder, keep), params(1, twentyParams), params(1, ""), stdin(1, ""))
	postWire = wire(begin(1, responder, keep), params(1, twentyParams), params(1, ""), stdin(1, full), stdin(1, ""))
)

// One GET request of 20 parameters, from its bytes to events and to its end.
func BenchmarkReadRequest(b *testing.B) {
	c := protocol.NewConn(protocol.Application, nil)
	out := make([]byte, 0, 1024)
	b.SetBytes(int64(len(getWire)))
	b.ReportAllocs()
	for b.Loop() {
		if consume(b, c, getWire) != 4 {
			b.Fatal("not the events of a request")
		}
		var err error
		if out, err = c.EndRequest(out[:0], 1, protocol.EndRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}

// One record of STDIN. Nothing of it is copied or looked at, so it takes the same time whatever its size, and bytes a
// second would say nothing.
func BenchmarkReadStdin(b *testing.B) {
	for _, size := range []int{100, 8 << 10, 65528} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := protocol.NewConn(protocol.Application, nil)
			consume(b, c, wire(sentTo(responder, "P")...))
			input := wire(stdin(1, full[:size]))
			b.ReportAllocs()
			for b.Loop() {
				if consume(b, c, input) != 1 {
					b.Fatal("not one event")
				}
			}
		})
	}
}

// One write to STDOUT, framed. It is a copy, so its speed is that of memory.
func BenchmarkSendStdout(b *testing.B) {
	for _, size := range []int{100, 8 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := protocol.NewConn(protocol.Application, nil)
			consume(b, c, wire(sentTo(responder, "P")...))
			body := make([]byte, size)
			out := make([]byte, 0, size+1024)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, err = c.Send(out[:0], protocol.TypeStdout, 1, body); err != nil {
					b.Fatal(err)
				}
			}
			if records := (size + 65527) / 65528; len(out) != size+records*protocol.HeaderLen {
				b.Fatalf("%d bytes for %d", len(out), size)
			}
		})
	}
}

// One pair of the twenty, on the average.
func BenchmarkCutPair(b *testing.B) {
	b.SetBytes(int64(len(twentyParams) / 20))
	b.ReportAllocs()
	rest, pairs := "", 0
	for b.Loop() {
		if rest == "" {
			if pairs%20 != 0 {
				b.Fatalf("%d pairs", pairs)
			}
			rest = twentyParams
		}
		var err error
		if _, _, rest, err = protocol.CutPair(rest); err != nil {
			b.Fatal(err)
		}
		pairs++
	}
}

func BenchmarkAppendPair(b *testing.B) {
	const name, value = "HTTP_ACCEPT", "text/html,application/xhtml+xml"
	dst := make([]byte, 0, 128)
	b.SetBytes(int64(protocol.PairLen(name, value)))
	b.ReportAllocs()
	for b.Loop() {
		dst = protocol.AppendPair(dst[:0], name, value)
	}
	if string(dst) != nv(name, value) {
		b.Fatalf("%q", dst)
	}
}

// BenchmarkServe is one request and its response over a connection that costs nothing: it replays the request when the
// response before has ended, and discards what it is given. Each figure has in it
//
//	protocol       records, parameters cut out of a string, "hello, world" framed; one write
//	protocol+cgi   the same, and what net/http/fcgi cannot leave out: a map, an http.Request, a goroutine for it
//	net/http/fcgi  all of it; and its http.ResponseWriter, with headers of its own, and a write for each record
//
// so the first is what this package takes, and the difference of the others is what it saves.
func BenchmarkServe(b *testing.B) {
	for _, request := range []struct {
		name string
		wire []byte
		body int
	}{
		{"GET", getWire, 0},
		{"POST 64 KiB", postWire, len(full)},
	} {
		for _, server := range []struct {
			name  string
			serve func(b *testing.B, conn *replay, body int)
		}{
			{"protocol", func(b *testing.B, conn *replay, body int) { serveProtocol(b, conn, body, answerAtOnce) }},
			{"protocol+cgi", func(b *testing.B, conn *replay, body int) { serveProtocol(b, conn, body, answerThroughCGI) }},
			{"net/http/fcgi", serveFCGI},
		} {
			b.Run(request.name+"/"+server.name, func(b *testing.B) {
				conn := newReplay(request.wire, b.N)
				b.SetBytes(int64(len(request.wire)))
				b.ReportAllocs()
				b.ResetTimer()
				server.serve(b, conn, request.body)
				b.StopTimer()
				if conn.ended != b.N {
					b.Fatalf("%d responses to %d requests", conn.ended, b.N)
				}
			})
		}
	}
}

// A replay is a net.Conn on which one request comes again and again, each after the response to the one before.
type replay struct {
	request  []byte
	due      int           // requests still to come
	left     []byte        // of the one that is coming
	ended    int           // responses
	answered chan struct{} // Write -> Read
	closed   chan struct{}
}

func newReplay(request []byte, n int) *replay {
	r := &replay{request: request, due: n, answered: make(chan struct{}, 1), closed: make(chan struct{})}
	r.answered <- struct{}{}
	return r
}

func (r *replay) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		<-r.answered
		if r.due == 0 {
			return 0, io.EOF
		}
		r.due--
		r.left = r.request
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// Write takes whole records, which is what both servers write.
func (r *replay) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		h := protocol.ParseHeader(rest)
		rest = rest[protocol.HeaderLen+int(h.ContentLength)+int(h.PaddingLength):]
		if h.Type == protocol.TypeEndRequest {
			r.ended++
			r.answered <- struct{}{}
		}
	}
	return len(p), nil
}

func (r *replay) Close() error {
	close(r.closed)
	return nil
}

func (r *replay) LocalAddr() net.Addr              { return nil }
func (r *replay) RemoteAddr() net.Addr             { return nil }
func (r *replay) SetDeadline(time.Time) error      { return nil }
func (r *replay) SetReadDeadline(time.Time) error  { return nil }
func (r *replay) SetWriteDeadline(time.Time) error { return nil }

func serveFCGI(b *testing.B, conn *replay, body int) {
	l := newListener(conn)
	served := make(chan error, 1)
	go func() {
		served <- fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			checkRequest(b, r, len(fcgi.ProcessEnv(r)))
			if n, _ := io.Copy(io.Discard, r.Body); int(n) != body {
				b.Errorf("a body of %d bytes", n)
			}
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "hello, world\n")
		}))
	}()
	<-conn.closed
	l.Close()
	<-served
}

// checkRequest looks at what a request was made of: eight parameters go into neither its fields nor its header.
func checkRequest(b *testing.B, r *http.Request, others int) {
	if r.Host != "www.example.org" || len(r.Header) != 2 || others != 8 {
		b.Errorf("host %q, %d headers, %d other parameters", r.Host, len(r.Header), others)
	}
}

const helloWorld = "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello, world\n"

// A served request is what the benchmark's server keeps of one, in memory that the next one uses again.
type served struct {
	block  []byte
	params [][2]string
	body   int
}

// serveProtocol is the least that can be called a server around a Conn.
func serveProtocol(b *testing.B, conn net.Conn, body int, answer func(*testing.B, *served)) {
	c := protocol.NewConn(protocol.Application, nil)
	in, out := make([]byte, 64<<10), make([]byte, 0, 4096)
	var r served
	for {
		n, err := conn.Read(in)
		if err != nil {
			return
		}
		for p := in[:n]; len(p) > 0; {
			var ev protocol.Event
			if ev, p, err = c.Next(p); err != nil {
				b.Fatal(err)
			}
			if !r.take(b, ev) {
				continue
			}
			if r.body != body {
				b.Fatalf("a body of %d bytes", r.body)
			}
			answer(b, &r)
			out, _ = c.Send(out[:0], protocol.TypeStdout, ev.RequestID, []byte(helloWorld))
			out, _ = c.EndRequest(out, ev.RequestID, protocol.EndRequest{})
			conn.Write(out)
		}
	}
}

// take adds an event to the request, and reports whether the request is complete.
func (r *served) take(b *testing.B, ev protocol.Event) bool {
	switch {
	case ev.Type == protocol.TypeBeginRequest:
		*r = served{block: r.block[:0], params: r.params[:0]}
	case ev.Type == protocol.TypeParams && !ev.End:
		r.block = append(r.block, ev.Data...)
	case ev.Type == protocol.TypeParams:
		for rest := string(r.block); rest != ""; {
			var name, value string
			name, value, rest, _ = protocol.CutPair(rest)
			r.params = append(r.params, [2]string{name, value})
		}
		if len(r.params) != 20 {
			b.Fatalf("%d parameters", len(r.params))
		}
	case ev.Type == protocol.TypeStdin:
		r.body += len(ev.Data)
		return ev.End
	}
	return false
}

func answerAtOnce(*testing.B, *served) {}

func answerThroughCGI(b *testing.B, r *served) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		env := make(map[string]string)
		for _, p := range r.params {
			env[p[0]] = p[1]
		}
		httpReq, err := cgi.RequestFromMap(env)
		if err != nil {
			b.Error(err)
			return
		}
		checkRequest(b, httpReq, 8)
	}()
	<-done
}
