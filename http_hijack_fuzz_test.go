package fastcgi_test

import (
	"bytes"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// FuzzHijackHead holds that whatever is written to a hijacked connection, in whatever two pieces, the web server gets
// nothing, or a header block with a status of its own and no field that could pass for another, and then exactly what
// was written behind the first head.
func FuzzHijackHead(f *testing.F) {
	for _, head := range []string{
		switching, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + switching, "HTTP/1.0 200\r\n\r\n", "hello\r\n\r\n",
		"HTTP/1.1 200 OK\r\nStatus: 500\r\nA\x00: b\r\nC: d\x00\r\nContent-Length: x\r\n\r\nbody",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nA : d\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\r\n\r\n",
	} {
		f.Add([]byte(head), len(head)/2)
	}
	conns := make(chan net.Conn, 1)
	done := make(chan struct{})
	p := place{drivers[0], "unix"}
	app := p.serveHTTP(f, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conns <- conn
			<-done
		}
	}))
	conn, err := app.connect()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	f.Fuzz(func(t *testing.T, written []byte, cut int) {
		web := newWeb(t, conn)
		web.SetDeadline(time.Now().Add(patience))
		web.send(httpUpgrade(1))
		hijacked := <-conns
		cut = min(max(cut, 0), len(written))
		if _, err := hijacked.Write(written[:cut]); err == nil {
			hijacked.Write(written[cut:])
		}
		hijacked.Close()
		done <- struct{}{}
		web.send(stdinEnd(1))
		checkHijackedOutput(t, written, web.answer(1).stdout.String())
	})
}

func checkHijackedOutput(t *testing.T, written []byte, stdout string) {
	t.Helper()
	if stdout == "" {
		return
	}
	// From 600 on, net/http lets a handler use what the parser, a client's, takes for none.
	status := regexp.MustCompile(`(?m)^Status: [6-9]`).ReplaceAllString(stdout, "Status: 5")
	var parser cgi.HeaderParser
	body, complete, err := parser.Feed([]byte(status))
	header := parser.Header()
	if err != nil || !complete || header.Status < 101 {
		t.Fatalf("%q became %q: %v", written, stdout, err)
	}
	for _, name := range []string{"Transfer-Encoding", "Keep-Alive", "Trailer"} {
		if header.Fields[textproto.CanonicalMIMEHeaderKey(name)] != nil {
			t.Errorf("%q became %q", written, stdout)
		}
	}
	if !bytes.HasSuffix(written, append([]byte("\r\n\r\n"), body...)) {
		t.Errorf("%q became %q", written, stdout)
	}
}
