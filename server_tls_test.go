package fastcgi_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A tlsListener is a listener with TLS, and what its clients need. It is not one of package listen's, so that a server may
// meet those as well.
type tlsListener struct {
	net.Listener
	client *tls.Config
}

// listenTLS listens with a certificate for localhost.
func listenTLS(t testing.TB, opts *fastcgi.ListenOptions) *tlsListener {
	t.Helper()
	authority := certstest.NewAuthority(t, "authority")
	opts.CertFile, opts.KeyFile = authority.Pair("localhost").Write(t, t.TempDir(), "app")
	l, err := fastcgi.Listen("tls:127.0.0.1:0", opts)
	if err != nil {
		t.Fatal(err)
	}
	return &tlsListener{l, &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}}
}

// Requests over TLS, one after the other and at once, with bodies in both directions that are larger than any buffer.
func TestTLS(t *testing.T) {
	for name, srv := range map[string]*fastcgi.Server{
		"sync":  {Handler: fastcgi.HandlerFunc(echoSync)},
		"async": {AsyncHandler: fastcgi.AsyncHandlerFunc(echoAsync)},
	} {
		t.Run(name, func(t *testing.T) {
			w := onTLS.serve(t, srv).dial(t)
			body := strings.Repeat("0123456789", 20_000)
			for range 2 {
				w.send(post(1, true, body), get(2, true), post(3, true, "short"))
				for id, want := range []string{1: body, 2: "", 3: "short"} {
					if id > 0 && !strings.HasSuffix(w.answer(uint16(id)).stdout.String(), "\n"+want) {
						t.Errorf("request %d is not answered with its body", id)
					}
				}
			}
			w.send(get(1, false))
			w.answer(1)
			w.expectEOF()
		})
	}
}

// The automatic driver serves TLS; the loop driver says that it cannot.
func TestTLSDrivers(t *testing.T) {
	for _, d := range []fastcgi.Driver{"", fastcgi.DriverAuto, fastcgi.DriverGoroutine} {
		l := listenTLS(t, &fastcgi.ListenOptions{})
		place{driver{name: d}, "tls"}.serveOn(t, &fastcgi.Server{Handler: hello}, l.Listener)
		conn, err := tls.Dial("tcp", l.Addr().String(), l.client)
		if err != nil {
			t.Fatal(err)
		}
		newWeb(t, conn).ask(1).expect(t, "hello")
		conn.Close()
	}
	l := listenTLS(t, &fastcgi.ListenOptions{})
	err := (&fastcgi.Server{Handler: hello, Driver: fastcgi.DriverLoop}).Serve(l.Listener)
	if err == nil || hasLoop && !strings.Contains(err.Error(), "cannot serve TLS") || !strings.Contains(err.Error(), `"auto"`) {
		t.Errorf("the loop driver: %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

var hasLoop = runtime.GOOS == "linux"

// A handshake that is never finished, wherever it stops, is over with FirstByteTimeout, counts as a connection, and keeps nobody
// else waiting.
func TestTLSHandshakeTimeout(t *testing.T) {
	const limit = 2
	a := onTLS.serve(t, &fastcgi.Server{Handler: hello, MaxConns: limit, FirstByteTimeout: 200 * time.Millisecond})
	hello := clientHello(t)
	var stuck []net.Conn
	for _, said := range [][]byte{nil, hello[:len(hello)-1]} {
		conn, err := net.Dial("tcp", a.l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write(said)
		stuck = append(stuck, conn)
	}
	eventually(t, "both are connections", func() bool { return a.Stats().OpenConns == limit })
	// There is no room for a third while they are there, which its handshake does not wait for.
	third := a.dial(t)
	third.ask(1).expectRefused(t, protocol.StatusOverloaded)
	third.Close()
	for _, conn := range stuck {
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("the connection is open: %v", err)
		}
	}
	a.log.expect(t, "no byte within FirstByteTimeout")
	eventually(t, "there is room", func() bool { return a.Stats().OpenConns == 0 })
	a.dial(t).ask(1).expect(t, "hello")
	if text := a.log.String(); strings.Contains(text, "TLS handshake") {
		t.Errorf("the log has a second word for it:\n%s", text)
	}
}

// clientHello is what a client begins with.
func clientHello(t *testing.T) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go tls.Client(near, &tls.Config{ServerName: "localhost"}).Handshake()
	buf := make([]byte, 16<<10)
	n, err := far.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// A web server may close its half and is still answered; one that goes away, or breaks off in the middle of TLS, is noticed.
func TestTLSHalfClosed(t *testing.T) {
	requests := make(chan *held, 1)
	a := onTLS.serve(t, &fastcgi.Server{Handler: holding(requests)})
	w := a.dial(t)
	w.send(get(1, true))
	h := receive(t, requests)
	w.Conn.(*tls.Conn).CloseWrite()
	h.w.Write([]byte("answer"))
	h.finish()
	w.answer(1).expectWritten(t, "answer")
	w.expectEOF()

	for _, leave := range []func(c *tls.Conn){
		func(c *tls.Conn) { c.Close() },
		func(c *tls.Conn) { c.NetConn().Close() },
	} {
		before := a.Stats().Aborted
		w = a.dial(t)
		w.send(start(1, true)) // with a body to come
		h = receive(t, requests)
		leave(w.Conn.(*tls.Conn))
		eventually(t, "the request is cancelled", func() bool { return a.Stats().Aborted == before+1 })
		h.finish()
	}
}

// WriteTimeout ends a connection whose web server takes nothing.
func TestTLSWriteTimeout(t *testing.T) {
	requests := make(chan *held, 1)
	a := onTLS.serve(t, &fastcgi.Server{Handler: holding(requests), WriteTimeout: 100 * time.Millisecond})
	w := a.dial(t)
	w.send(get(1, true))
	h := receive(t, requests)
	var err error
	for err == nil {
		_, err = h.w.Write(make([]byte, 1<<20))
	}
	h.finish()
	eventually(t, "the connection is closed", func() bool { return a.Stats().OpenConns == 0 })
}

// Without a certificate, or with one of a stranger, nobody gets a request in: the log says who and why.
func TestTLSClientCertificates(t *testing.T) {
	authority, stranger := certstest.NewAuthority(t, "clients"), certstest.NewAuthority(t, "stranger")
	journal := new(journal)
	opts := &fastcgi.ListenOptions{
		ClientCAFile: filepath.Join(t.TempDir(), "clients.pem"),
		ErrorLog:     slog.New(slog.NewTextHandler(journal, nil)),
	}
	certstest.WriteFile(t, opts.ClientCAFile, authority.PEM)
	l := listenTLS(t, opts)
	a := onTLS.serveOn(t, &fastcgi.Server{Handler: hello}, l)
	for name, tt := range map[string]struct {
		certs []tls.Certificate
		says  string // empty: it is let in
	}{
		"none":         {nil, "didn't provide a certificate"},
		"a stranger's": {[]tls.Certificate{stranger.Pair("web").TLS(t)}, "unknown authority"},
		"expired":      {[]tls.Certificate{authority.Expired("web").TLS(t)}, "expired"},
		"good":         {[]tls.Certificate{authority.Pair("web").TLS(t)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l.client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if tt.certs == nil {
					return new(tls.Certificate), nil
				}
				return &tt.certs[0], nil
			}
			w := a.dial(t)
			if tt.says == "" {
				w.ask(1).expect(t, "hello")
				return
			}
			w.Conn.Write(get(1, true))
			if _, err := w.Conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "remote error: tls: ") {
				t.Errorf("the client reads %v", err)
			}
			journal.expect(t, "connection refused", "TLS handshake", tt.says, w.Conn.LocalAddr().String())
		})
	}
	if n := a.Stats().Requests; n != 1 {
		t.Errorf("%d requests got in", n)
	}
}

// A new certificate is used, without a word to the server, for connections that begin, and those that are there go on. A
// broken one is told once.
func TestTLSReload(t *testing.T) {
	authority := certstest.NewAuthority(t, "authority")
	dir, journal := t.TempDir(), new(journal)
	opts := &fastcgi.ListenOptions{ErrorLog: slog.New(slog.NewTextHandler(journal, nil))}
	opts.CertFile, opts.KeyFile = authority.Pair("first").Write(t, dir, "app")
	inner, err := fastcgi.Listen("tls:127.0.0.1:0", opts)
	if err != nil {
		t.Fatal(err)
	}
	l := &tlsListener{inner, &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}}
	a := onTLS.serveOn(t, &fastcgi.Server{Handler: hello}, l)
	old := a.dial(t)
	shows := func() string {
		w := a.dial(t)
		defer w.Close()
		w.ask(1).expect(t, "hello")
		old.ask(1).expect(t, "hello")
		return w.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if name := shows(); name != "first" {
		t.Errorf("the certificate is that of %s", name)
	}
	authority.Pair("second").Write(t, dir, "app")
	eventually(t, "the second certificate is shown", func() bool { return shows() == "second" })
	journal.expect(t, "certificate files read again")
	certstest.WriteFile(t, opts.KeyFile, []byte("broken"))
	eventually(t, "the broken key is told", func() bool { return shows() == "second" && strings.Contains(journal.String(), "ERROR") })
	journal.expect(t, "the old certificates stay", opts.KeyFile)
	if n := strings.Count(journal.String(), "ERROR"); n != 1 {
		t.Errorf("it is told %d times:\n%s", n, journal)
	}
}

// ListenAndServe has ListenOptions.
func TestTLSListenAndServe(t *testing.T) {
	authority := certstest.NewAuthority(t, "authority")
	srv := &fastcgi.Server{Handler: hello}
	if err := srv.ListenAndServe("tls:127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "needs a certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	srv.ListenOptions.CertFile, srv.ListenOptions.KeyFile = authority.Pair("localhost").Write(t, t.TempDir(), "app")
	served := make(chan error, 1)
	go func() { served <- srv.ListenAndServe("tls:127.0.0.1:0") }()
	eventually(t, "it is served", func() bool { return srv.Fd() != ^uintptr(0) })
	srv.Close()
	if err := receive(t, served); !errors.Is(err, fastcgi.ErrServerClosed) {
		t.Error(err)
	}
}

// A46: a peer that is not on the list never gets to a handshake, and nothing of its is read.
func TestTLSAllow(t *testing.T) {
	journal := new(journal)
	l := listenTLS(t, &fastcgi.ListenOptions{Allow: "192.0.2.1", ErrorLog: slog.New(slog.NewTextHandler(journal, nil))})
	a := onTLS.serveOn(t, &fastcgi.Server{Handler: hello}, l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the refused peer reads %v", err)
	}
	journal.expect(t, "connection refused", "not on the allow-list")
	if n := a.Stats().Conns; n != 0 {
		t.Errorf("the server has seen %d connections", n)
	}
}

// Fd is the descriptor of a listener with TLS, too.
func TestTLSFd(t *testing.T) {
	l := listenTLS(t, &fastcgi.ListenOptions{})
	a := onTLS.serveOn(t, &fastcgi.Server{Handler: hello}, l.Listener)
	want, ok := listen.Fd(l.Listener)
	eventually(t, "Fd is the listener's", func() bool { return ok && a.Fd() == want })
}
