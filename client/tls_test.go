package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// A tlsApp is a server with TLS that echoes, and the folder with its files.
type tlsApp struct {
	authority *certstest.Authority
	dir       string
	ca        string // of both ends
	opts      fastcgi.ListenOptions
	addr      string
	log       *journal
	srv       *fastcgi.Server
}

// A journal is a log that can be looked at.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// startTLS starts a server that echoes, with the certificate pair and the options that change makes.
func startTLS(t *testing.T, pair func(a *certstest.Authority) certstest.Pair, change func(app *tlsApp)) *tlsApp {
	t.Helper()
	app := &tlsApp{authority: certstest.NewAuthority(t, "authority"), dir: t.TempDir(), log: new(journal)}
	app.ca = filepath.Join(app.dir, "ca.pem")
	certstest.WriteFile(t, app.ca, app.authority.PEM)
	app.opts.CertFile, app.opts.KeyFile = pair(app.authority).Write(t, app.dir, "app")
	app.opts.ErrorLog = app.log.logger()
	if change != nil {
		change(app)
	}
	l, err := fastcgi.Listen("tls:127.0.0.1:0", &app.opts)
	if err != nil {
		t.Fatal(err)
	}
	app.addr = "tls:" + l.Addr().String()
	app.srv = &fastcgi.Server{
		Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			io.Copy(w, r)
		}),
		FirstByteTimeout: giveUp,
		ErrorLog:         app.log.logger(),
	}
	served := make(chan error, 1)
	go func() { served <- app.srv.Serve(l) }()
	t.Cleanup(func() {
		app.srv.Close()
		<-served
		if t.Failed() {
			t.Logf("log of the application:\n%s", app.log)
		}
	})
	return app
}

// client returns a client that trusts the application.
func (app *tlsApp) client(t *testing.T, c *client.Client) *client.Client {
	c.Addr, c.CAFile, c.ErrorLog = app.addr, app.ca, app.log.logger()
	t.Cleanup(func() { c.Close() })
	return c
}

func localhost(a *certstest.Authority) certstest.Pair { return a.Pair("localhost") }

// Requests over TLS: kept connections and new ones, small bodies and large.
func TestTLS(t *testing.T) {
	app := startTLS(t, localhost, nil)
	large := strings.Repeat("0123456789", 100_000)
	for _, keep := range []bool{false, true} {
		before := app.srv.Stats().Conns
		c := app.client(t, &client.Client{KeepConn: keep})
		for _, body := range []string{"x", "hello", large} {
			expect(t, c, post(strings.NewReader(body)), body)
		}
		want := int64(3)
		if keep {
			want = 1
		}
		if n := app.srv.Stats().Conns - before; n != want {
			t.Errorf("kept: %v; %d connections, want %d", keep, n, want)
		}
	}
}

// Kept connections are given up when they are idle, and the application's end is seen, over TLS as well.
func TestTLSIdle(t *testing.T) {
	app := startTLS(t, localhost, nil)
	c := app.client(t, &client.Client{KeepConn: true, IdleTimeout: time.Millisecond})
	expect(t, c, post(strings.NewReader("one")), "one")
	eventually(t, "a second connection is made", func() bool {
		expect(t, c, post(strings.NewReader("two")), "two")
		return app.srv.Stats().Conns > 1
	})
}

// Mutual TLS: who shows no certificate, or one of a stranger, is refused with the reason, and asks once.
func TestMutualTLS(t *testing.T) {
	app := startTLS(t, localhost, func(app *tlsApp) { app.opts.ClientCAFile = app.ca })
	stranger := certstest.NewAuthority(t, "stranger")
	for name, tt := range map[string]struct {
		pair func() certstest.Pair // nil: none
		says string                // empty: it is let in
	}{
		"none":         {nil, "certificate required"},
		"a stranger's": {func() certstest.Pair { return stranger.Pair("gateway") }, "unknown certificate authority"},
		"expired":      {func() certstest.Pair { return app.authority.Expired("gateway") }, "expired"},
		"good":         {func() certstest.Pair { return app.authority.Pair("gateway") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := app.client(t, &client.Client{KeepConn: true})
			if tt.pair != nil {
				c.CertFile, c.KeyFile = tt.pair().Write(t, t.TempDir(), "gateway")
			}
			if tt.says == "" {
				expect(t, c, post(strings.NewReader("hello")), "hello")
				return
			}
			for _, req := range []*client.Request{post(strings.NewReader("hello")), get()} { // one that may be repeated, too
				before := app.srv.Stats().Conns
				if _, _, err := answer(t, c, req); err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %v, want %q", err, tt.says)
				}
				if n := app.srv.Stats().Conns - before; n != 1 {
					t.Errorf("%d connections were made", n)
				}
			}
		})
	}
}

// A certificate that cannot be trusted is told with what to do about it, at once, and after one try.
func TestTLSDistrust(t *testing.T) {
	stranger := certstest.NewAuthority(t, "stranger")
	for name, tt := range map[string]struct {
		pair   func(a *certstest.Authority) certstest.Pair
		change func(c *client.Client)
		says   []string
	}{
		"expired": {func(a *certstest.Authority) certstest.Pair { return a.Expired("localhost") }, nil, []string{"expired", "renew the application's certificate"}},
		"unknown": {func(*certstest.Authority) certstest.Pair { return stranger.Pair("localhost") }, nil, []string{"unknown authority", "set Client.CAFile"}},
		"system":  {localhost, func(c *client.Client) { c.CAFile = "" }, []string{"unknown authority", "set Client.CAFile"}},
		"another": {localhost, func(c *client.Client) { c.ServerName = "example.org" }, []string{"example.org", "set Client.ServerName"}},
	} {
		t.Run(name, func(t *testing.T) {
			app := startTLS(t, tt.pair, nil)
			c := app.client(t, &client.Client{})
			if tt.change != nil {
				tt.change(c)
			}
			_, _, err := answer(t, c, get())
			for _, part := range append(tt.says, "fastcgi: dial tls:127.0.0.1:", "TLS handshake") {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %q", err, part)
				}
			}
			var distrust *tls.CertificateVerificationError
			if !errors.As(err, &distrust) {
				t.Errorf("%v is no *tls.CertificateVerificationError", err)
			}
			if n := app.srv.Stats().Conns; n != 1 {
				t.Errorf("%d connections were made", n)
			}
		})
	}
}

// An application that does not speak TLS is told as such, whether it closes the connection or answers.
func TestTLSNotSpoken(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(nc net.Conn)
		says   string
	}{
		"closes": {func(nc net.Conn) { nc.Read(make([]byte, 1<<16)) }, "as it does if it does not speak TLS"},
		"resets": {func(nc net.Conn) { nc.Read(make([]byte, 1)) }, "as it does if it does not speak TLS"},
		"answers": {func(nc net.Conn) {
			nc.Read(make([]byte, 1<<16))
			io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, "write tcp: instead of tls:"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			tries := 0
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					nc, err := l.Accept()
					if err != nil {
						return
					}
					tries++
					tt.script(nc)
					nc.Close()
				}
			}()
			c := &client.Client{Addr: "tls:" + l.Addr().String()}
			defer c.Close()
			_, _, err = answer(t, c, get())
			l.Close()
			<-served
			if err == nil || !strings.Contains(err.Error(), tt.says) || tries != 1 {
				t.Errorf("error %v after %d tries, want %q", err, tries, tt.says)
			}
		})
	}
}

// Without TLS to an application that has it: the application's log says what is wrong.
func TestTLSNotAsked(t *testing.T) {
	app := startTLS(t, localhost, nil)
	c := &client.Client{Addr: strings.TrimPrefix(app.addr, "tls:")}
	defer c.Close()
	if _, _, err := answer(t, c, get()); err == nil {
		t.Error("it was answered")
	}
	eventually(t, "the application has told", func() bool { return strings.Contains(app.log.String(), "the peer does not speak TLS") })
}

// The handshake is within DialTimeout, and ends with the context.
func TestTLSHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client.Client{Addr: "tls:localhost:9000", DialTimeout: time.Second, Dial: func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			go io.Copy(io.Discard, far)
			time.Sleep(time.Second / 2)
			return near, nil
		}}
		defer c.Close()
		start := time.Now()
		_, err := c.Do(t.Context(), get())
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "TLS handshake") || took != time.Second {
			t.Errorf("error %v after %v", err, took)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(700*time.Millisecond, func() { cancel(errWhy) })
		start = time.Now()
		_, err = c.Do(ctx, get())
		if took := time.Since(start); !errors.Is(err, errWhy) || took != 700*time.Millisecond {
			t.Errorf("cancelled: error %v after %v", err, took)
		}
	})
}

// Sessions are resumed: a new connection does not cost a new handshake in full.
func TestTLSResumption(t *testing.T) {
	app := startTLS(t, localhost, nil)
	var resumed []bool
	c := app.client(t, &client.Client{TLSConfig: &tls.Config{VerifyConnection: func(s tls.ConnectionState) error {
		resumed = append(resumed, s.DidResume)
		return nil
	}}})
	for range 3 {
		expect(t, c, post(strings.NewReader("hello")), "hello")
	}
	if len(resumed) != 3 || resumed[0] || !resumed[1] || !resumed[2] {
		t.Errorf("resumed: %v", resumed)
	}
}

// Both ends get new certificates, by a new authority, while requests run, and none of them fails: first both trust the new
// authority as well, then they change.
func TestTLSRotation(t *testing.T) {
	app := startTLS(t, localhost, func(app *tlsApp) { app.opts.ClientCAFile = app.ca })
	var shown atomic.Pointer[string]
	clientDir := t.TempDir()
	c := &client.Client{MaxIdle: 1, TLSConfig: &tls.Config{VerifyConnection: func(s tls.ConnectionState) error {
		name := s.PeerCertificates[0].Issuer.CommonName
		shown.Store(&name)
		return nil
	}}}
	c.CertFile, c.KeyFile = app.authority.Pair("gateway").Write(t, clientDir, "gateway")
	c = app.client(t, c)

	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	for range 2 {
		asking.Go(func() {
			for ctx.Err() == nil {
				if got, _, err := answer(t, c, post(strings.NewReader("hello"))); got != "hello" {
					t.Errorf("answer %q, %v", got, err)
					return
				}
			}
		})
	}
	// read is whether an end, which logs with these words, has read its files so often.
	read := func(end string, times int) func() bool {
		return func() bool { return strings.Count(app.log.String(), "read again\""+end+"\n") >= times || t.Failed() }
	}
	asClient, asServer := " addr="+app.addr, ""
	expect(t, c, post(strings.NewReader("hello")), "hello") // both ends have read their files once
	next := certstest.NewAuthority(t, "next")
	certstest.WriteFile(t, app.ca, append(bytes.Clone(app.authority.PEM), next.PEM...))
	eventually(t, "the application trusts the next authority", read(asServer, 1))
	eventually(t, "the client does", read(asClient, 1))
	next.Pair("localhost").Write(t, app.dir, "app")
	eventually(t, "the application has its certificate", read(asServer, 2))
	next.Pair("gateway").Write(t, clientDir, "gateway")
	eventually(t, "the client has its own", read(asClient, 2))
	// It begins new sessions with that; one that was resumed would show the application's certificate of before.
	eventually(t, "the application shows its certificate", func() bool { return *shown.Load() == "next" || t.Failed() })
	// From here on, only who has a new certificate gets in.
	certstest.WriteFile(t, app.ca, next.PEM)
	eventually(t, "the old authority is gone", read(asServer, 3))
	eventually(t, "and unknown to the client", read(asClient, 3))
	expect(t, c, post(strings.NewReader("hello")), "hello")
}

// A client's broken files are told once, and the old ones stay.
func TestTLSBrokenFiles(t *testing.T) {
	app := startTLS(t, localhost, nil)
	c := app.client(t, &client.Client{})
	own := filepath.Join(t.TempDir(), "ca.pem")
	certstest.WriteFile(t, own, app.authority.PEM)
	c.CAFile = own
	expect(t, c, post(strings.NewReader("hello")), "hello")
	certstest.WriteFile(t, own, []byte("broken"))
	eventually(t, "it is told", func() bool {
		expect(t, c, post(strings.NewReader("hello")), "hello")
		return strings.Contains(app.log.String(), own)
	})
	if text := app.log.String(); strings.Count(text, "ERROR") != 1 || !strings.Contains(text, "the old certificates stay") {
		t.Errorf("the log:\n%s", text)
	}
}

// Settings that would be without effect are errors, as are files that cannot be used; when those can be, the next request works.
func TestTLSSettings(t *testing.T) {
	app := startTLS(t, localhost, nil)
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, tt := range map[string]struct {
		c    *client.Client
		says string
	}{
		"certificate without TLS": {&client.Client{Addr: "127.0.0.1:9000", CertFile: "c"}, "write tls:host:port"},
		"authority without TLS":   {&client.Client{Addr: "unix:/run/app.sock", CAFile: "c"}, "write tls:host:port"},
		"name without TLS":        {&client.Client{Addr: "127.0.0.1:9000", ServerName: "c"}, "write tls:host:port"},
		"config without TLS":      {&client.Client{Dial: slowDial, TLSConfig: &tls.Config{}}, "write tls:host:port"},
		"key alone":               {&client.Client{Addr: app.addr, KeyFile: "k"}, "there is no CertFile"},
		"missing":                 {&client.Client{Addr: app.addr, CAFile: missing}, "cannot read the certificates of authorities"},
	} {
		if _, err := tt.c.Do(t.Context(), get()); err == nil || !strings.HasPrefix(err.Error(), "fastcgi: ") || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
		if name == "missing" {
			certstest.WriteFile(t, missing, app.authority.PEM)
			expect(t, tt.c, post(strings.NewReader("hello")), "hello")
		}
		tt.c.Close()
	}
}

// The name that a certificate must be for is that of the address, unless there is another.
func TestTLSServerName(t *testing.T) {
	app := startTLS(t, func(a *certstest.Authority) certstest.Pair { return a.Pair("app.internal") }, nil)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(app.addr, "tls:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		addr, name, config string
		ok                 bool
	}{
		{"tls:127.0.0.1:" + port, "", "", true},
		{"tls:localhost:" + port, "", "", true},
		{"tls::" + port, "", "", true},
		{"tls:127.0.0.1:" + port, "app.internal", "", true},
		{"tls:127.0.0.1:" + port, "", "app.internal", true},
		{"tls:127.0.0.1:" + port, "app.internal", "example.org", true},
		{"tls:127.0.0.1:" + port, "", "example.org", false},
		{"tls:127.0.0.1:" + port, "example.org", "app.internal", false},
	} {
		c := app.client(t, &client.Client{ServerName: tt.name})
		c.Addr = tt.addr
		if tt.config != "" {
			c.TLSConfig = &tls.Config{ServerName: tt.config}
		}
		if _, _, err := answer(t, c, get()); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// A connection that the application closes while it is idle is seen, and the request goes over another.
func TestTLSClosedWhileIdle(t *testing.T) {
	authority := certstest.NewAuthority(t, "authority")
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{authority.Pair("localhost").TLS(t)}})
	if err != nil {
		t.Fatal(err)
	}
	var scripts sync.WaitGroup
	scripts.Go(func() {
		for n := 1; ; n++ {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			fakeapp.Run(t, nc, n, func(a *fakeapp.Conn) { // one request, and then it closes
				if r := a.Request(); r != nil {
					a.Say(r.Answer("hello"))
				}
			})
		}
	})
	c := &client.Client{Addr: "tls:" + l.Addr().String(), KeepConn: true, TLSConfig: &tls.Config{RootCAs: authority.Pool()}}
	for range 3 {
		expect(t, c, get(), "hello")
	}
	c.Close()
	l.Close()
	scripts.Wait()
}

// A Balancer dials the IP addresses of a name with TLS as well, with the settings of the clients that NewClient makes.
func TestTLSBalancer(t *testing.T) {
	app := startTLS(t, func(a *certstest.Authority) certstest.Pair { return a.Pair("app.internal") }, nil)
	b := &client.Balancer{
		Applications: []client.Application{{Addr: strings.Replace(app.addr, "127.0.0.1", "localhost", 1)}},
		NewClient: func(addr string) *client.Client {
			if !strings.HasPrefix(addr, "tls:127.0.0.1:") {
				t.Errorf("it dials %s", addr)
			}
			return &client.Client{Addr: addr, ServerName: "app.internal", CAFile: app.ca, ErrorLog: app.log.logger()}
		},
	}
	defer b.Close()
	resp, err := b.Do(t.Context(), post(strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	if got, err := io.ReadAll(resp); err != nil || string(got) != "hello" {
		t.Errorf("answer %q, %v", got, err)
	}
}
