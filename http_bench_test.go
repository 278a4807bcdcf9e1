package fastcgi_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"path/filepath"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// BenchmarkHTTP serves an http.Handler to one connection that is kept, beside
// net/http/fcgi and net/http's own server with the same handler. Time and
// allocations include those of the client, which has none.
func BenchmarkHTTP(b *testing.B) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "hello, world\n")
	})
	b.Run("fastcgi", func(b *testing.B) {
		server := &fastcgi.Server{Handler: fastcgi.HTTP(hello), ErrorLog: slog.New(slog.DiscardHandler)}
		defer server.Close()
		benchmarkHTTP(b, server.Serve)
	})
	b.Run("net-http-fcgi", func(b *testing.B) {
		benchmarkHTTP(b, func(l net.Listener) error { return fcgi.Serve(l, hello) })
	})
	b.Run("net-http", func(b *testing.B) {
		server := &http.Server{Handler: hello}
		defer server.Close()
		benchmarkNetHTTP(b, server.Serve)
	})
}

// benchmarkNetHTTP sends over HTTP what benchmarkParams tell of.
func benchmarkNetHTTP(b *testing.B, serve func(net.Listener) error) {
	conn := benchmarkConn(b, serve)
	request := []byte("GET /index HTTP/1.1\r\nHost: example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\nAccept: */*\r\n\r\n")
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		n := 0
		for !bytes.HasSuffix(buf[:n], []byte("\r\n\r\nhello, world\n")) {
			k, err := conn.Read(buf[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += k
		}
	}
}

// benchmarkConn returns a connection to a server that ends with the benchmark.
func benchmarkConn(b *testing.B, serve func(net.Listener) error) net.Conn {
	l, err := net.Listen("unix", filepath.Join(b.TempDir(), "socket"))
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = serve(l) })
	conn, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		conn.Close()
		l.Close()
		serving.Wait()
	})
	return conn
}

// benchmarkParams are what nginx sends of a browser's GET, in essence.
var benchmarkParams = [][2]string{
	{"QUERY_STRING", ""},
	{"REQUEST_METHOD", "GET"},
	{"CONTENT_TYPE", ""},
	{"CONTENT_LENGTH", ""},
	{"SCRIPT_NAME", "/index"},
	{"REQUEST_URI", "/index"},
	{"DOCUMENT_URI", "/index"},
	{"DOCUMENT_ROOT", "/usr/share/nginx/html"},
	{"SERVER_PROTOCOL", "HTTP/1.1"},
	{"REQUEST_SCHEME", "http"},
	{"GATEWAY_INTERFACE", "CGI/1.1"},
	{"SERVER_SOFTWARE", "nginx/1.28.0"},
	{"REMOTE_ADDR", "192.0.2.1"},
	{"REMOTE_PORT", "51234"},
	{"SERVER_ADDR", "192.0.2.2"},
	{"SERVER_PORT", "80"},
	{"SERVER_NAME", "example.com"},
	{"HTTP_HOST", "example.com"},
	{"HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"},
	{"HTTP_ACCEPT", "*/*"},
}

func benchmarkHTTP(b *testing.B, serve func(net.Listener) error) {
	conn := benchmarkConn(b, serve)
	pc := protocol.NewConn(protocol.WebServer, nil)
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		request := benchmarkRequest(b, pc, buf[:0])
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(request)))
		if got := readAnswer(b, pc, conn, buf); !bytes.HasSuffix(got, []byte("\r\n\r\nhello, world\n")) {
			b.Fatalf("got %q", got)
		}
	}
}

// benchmarkRequest appends a whole request.
func benchmarkRequest(b *testing.B, pc *protocol.Conn, p []byte) []byte {
	p, err := pc.Begin(p, 1, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
	if err != nil {
		b.Fatal(err)
	}
	var block [1024]byte
	params := block[:0]
	for _, v := range benchmarkParams {
		params = protocol.AppendPair(params, v[0], v[1])
	}
	p = protocol.AppendStream(p, protocol.TypeParams, 1, params)
	p = protocol.AppendStreamEnd(p, protocol.TypeParams, 1)
	return protocol.AppendStreamEnd(p, protocol.TypeStdin, 1)
}

// readAnswer reads a request's STDOUT to its end.
func readAnswer(b *testing.B, pc *protocol.Conn, conn net.Conn, buf []byte) []byte {
	var stdout []byte
	for {
		n, err := conn.Read(buf[len(stdout):])
		if err != nil {
			b.Fatal(err)
		}
		for p := buf[len(stdout):][:n]; len(p) > 0; {
			var ev protocol.Event
			if ev, p, err = pc.Next(p); err != nil {
				b.Fatal(err)
			}
			switch ev.Type {
			case protocol.TypeStdout:
				stdout = append(buf[:len(stdout)], ev.Data...)
			case protocol.TypeEndRequest:
				return stdout
			}
		}
	}
}
