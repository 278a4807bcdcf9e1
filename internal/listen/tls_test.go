package listen_test

import (
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// A tlsFolder has the files of a server, and what its clients need.
type tlsFolder struct {
	authority *certstest.Authority
	dir       string
	cert, key string
	ca        string
}

func newTLSFolder(t *testing.T) *tlsFolder {
	t.Helper()
	f := &tlsFolder{authority: certstest.NewAuthority(t, "authority"), dir: t.TempDir()}
	f.cert, f.key = f.authority.Pair("app").Write(t, f.dir, "app")
	f.ca = filepath.Join(f.dir, "ca.pem")
	certstest.WriteFile(t, f.ca, f.authority.PEM)
	return f
}

// options are those of a server that demands no client certificate.
func (f *tlsFolder) options() *listen.Options {
	return &listen.Options{CertFile: f.cert, KeyFile: f.key}
}

func (f *tlsFolder) client() *tls.Config {
	return &tls.Config{RootCAs: f.authority.Pool(), ServerName: "app"}
}

func mustListenTLS(t *testing.T, addr string, opts *listen.Options) *listen.TLSListener {
	t.Helper()
	l, err := listen.Listen(addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*listen.TLSListener)
}

// What an address and the options for TLS mean together: nothing that was meant to be secret is ever plain text.
func TestTLSOptions(t *testing.T) {
	f := newTLSFolder(t)
	stranger := certstest.NewAuthority(t, "stranger")
	_, otherKey := stranger.Pair("other").Write(t, f.dir, "other")
	inCode := &tls.Config{Certificates: []tls.Certificate{f.authority.Pair("app").TLS(t)}}
	const loopback = "127.0.0.1:0"
	for _, tt := range []struct {
		addr string
		opts listen.Options
		says []string // none: it works
	}{
		{"tls:" + loopback, *f.options(), nil},
		{"tls:" + loopback, listen.Options{CertFile: f.cert, KeyFile: f.key, ClientCAFile: f.ca}, nil},
		{"tls:" + loopback, listen.Options{TLSConfig: inCode}, nil},
		{"tls:" + loopback, listen.Options{TLSConfig: inCode, ClientCAFile: f.ca}, nil},
		{"tls:" + loopback, listen.Options{}, []string{"needs a certificate", "CertFile and KeyFile", "docs/tls.md"}},
		{"tls:" + loopback, listen.Options{ClientCAFile: f.ca}, []string{"no certificate", "CertFile and KeyFile"}},
		{"tls:" + loopback, listen.Options{TLSConfig: &tls.Config{}}, []string{"no certificate", "CertFile and KeyFile"}},
		{"tls:" + loopback, listen.Options{KeyFile: f.key}, []string{"KeyFile", "no CertFile"}},
		{"tls:" + loopback, listen.Options{CertFile: f.cert, KeyFile: otherKey}, []string{f.cert, otherKey, "does not match"}},
		{"tls:" + loopback, listen.Options{CertFile: f.cert, KeyFile: f.key, ClientCAFile: f.key}, []string{f.key, "no certificate"}},
		{"tls:" + loopback, listen.Options{CertFile: f.cert, KeyFile: f.key, Mode: 0o600}, []string{"are for socket files"}},
		{loopback, *f.options(), []string{"without TLS", "write tls:" + loopback}},
		{"tcp:" + loopback, listen.Options{TLSConfig: inCode}, []string{"without TLS", "write tls:" + loopback}},
		{"unix:" + f.dir + "/s", *f.options(), []string{"Unix socket has no TLS", "tls:host:port"}},
	} {
		l, err := listen.Listen(tt.addr, &tt.opts)
		if err == nil {
			l.Close()
		}
		if (err == nil) != (tt.says == nil) {
			t.Errorf("%s with %+v: %v", tt.addr, tt.opts, err)
			continue
		}
		for _, part := range tt.says {
			if !strings.HasPrefix(err.Error(), "fastcgi: ") || !strings.Contains(err.Error(), part) {
				t.Errorf("%s with %+v: %v; want %q in it", tt.addr, tt.opts, err, part)
			}
		}
	}
}

// Client certificates are authentication; TLS alone is not.
func TestTLSExposed(t *testing.T) {
	f := newTLSFolder(t)
	with := func(change func(o *listen.Options)) *listen.Options {
		o := f.options()
		change(o)
		return o
	}
	demanding := &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: f.authority.Pool()}
	wantListenError(t, "tls::0", f.options(), "ListenOptions.ClientCAFile")
	wantListenError(t, "tls::0", with(func(o *listen.Options) {
		o.TLSConfig = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	}), "ListenOptions.ClientCAFile")
	wantListenError(t, "tls::0", with(func(o *listen.Options) {
		o.ClientCAFile = f.ca
		o.TLSConfig = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }}
	}), "ListenOptions.ClientCAFile")
	mustListenTLS(t, "tls::0", with(func(o *listen.Options) { o.ClientCAFile = f.ca }))
	mustListenTLS(t, "tls::0", with(func(o *listen.Options) { o.TLSConfig = demanding }))
	mustListenTLS(t, "tls::0", with(func(o *listen.Options) { o.AllowAnyAddress = true }))
	mustListenTLS(t, "tls::0", with(func(o *listen.Options) { o.Allow = mustParse(t, "192.0.2.1") }))
}

// A46: a peer that is not on the list is closed before a handshake.
func TestTLSAllow(t *testing.T) {
	f := newTLSFolder(t)
	opts, told := f.options(), new(refusals)
	opts.Allow, opts.Refused = mustParse(t, "192.0.2.1"), told.add
	l := mustListenTLS(t, "tls:127.0.0.1:0", opts)
	client := dial(t, l)
	wantRefused(t, l, client, told, "is not on the allow-list")
}

// Accept does no handshake: a peer that never begins one keeps nobody waiting. What fails of one is told.
func TestTLSAcceptDoesNotWait(t *testing.T) {
	f := newTLSFolder(t)
	opts, told := f.options(), new(refusals)
	opts.Refused = told.add
	l := mustListenTLS(t, "tls:127.0.0.1:0", opts)
	if listen.Scheme(l) != "tls" || l.Addr().Network() != "tcp" {
		t.Errorf("it is one of %s, on %s", listen.Scheme(l), l.Addr().Network())
	}
	dial(t, l) // and nothing else
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()

	peer := dial(t, l)
	second, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	go io.WriteString(tls.Client(peer, f.client()), "hello")
	got := make([]byte, 5)
	if _, err := io.ReadFull(second, got); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}

	plain := dial(t, l)
	third, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	io.WriteString(plain, "\x01\x01\x00\x01\x00\x08\x00\x00")
	plain.(*net.TCPConn).CloseWrite()
	if _, err := third.Read(got); err == nil {
		t.Error("plain text was read")
	}
	if len(told.reasons) != 1 || !strings.Contains(told.reasons[0], "does not speak TLS") || told.addrs[0] != plain.LocalAddr().String() {
		t.Errorf("told %q of %q", told.reasons, told.addrs)
	}
}
