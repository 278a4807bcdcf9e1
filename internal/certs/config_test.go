package certs_test

import (
	"crypto/tls"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/certs"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
)

// meet has a client say a byte to a server, and the server answer it. It returns what the client knows of the connection, and
// the errors of both.
func meet(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	far, near := certstest.Connect(t)
	done := make(chan error, 1)
	go func() {
		defer far.Close()
		c, b := tls.Server(far, server), make([]byte, 1)
		_, err := c.Read(b)
		if err == nil {
			_, err = c.Write(b)
		}
		done <- err
	}()
	c := tls.Client(near, client)
	if _, clientErr = c.Write([]byte("x")); clientErr == nil {
		_, clientErr = io.ReadFull(c, make([]byte, 1))
	}
	near.Close()
	return c.ConnectionState(), <-done, clientErr
}

// must is meet where nothing may fail.
func must(t *testing.T, server, client *tls.Config) tls.ConnectionState {
	t.Helper()
	state, serverErr, clientErr := meet(t, server, client)
	if serverErr != nil || clientErr != nil {
		t.Fatalf("server: %v; client: %v", serverErr, clientErr)
	}
	return state
}

var localhost = &tls.Config{ServerName: "localhost"}

// TLS 1.3 is spoken where both can, 1.2 where one cannot, and nothing before whatever is asked for.
func TestVersions(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		for _, tt := range []struct {
			server, client *tls.Config
			version        uint16 // 0: they have none in common
		}{
			{nil, &tls.Config{}, tls.VersionTLS13},
			{nil, &tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS12},
			{&tls.Config{MaxVersion: tls.VersionTLS12}, &tls.Config{}, tls.VersionTLS12},
			{&tls.Config{MinVersion: tls.VersionTLS13}, &tls.Config{MaxVersion: tls.VersionTLS12}, 0},
			{&tls.Config{MinVersion: tls.VersionTLS10}, &tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS12},
		} {
			tt.client.ServerName = "localhost"
			state, _, err := meet(t, f.store.Server(tt.server), f.store.Client(tt.client))
			if (err == nil) != (tt.version != 0) || err == nil && state.Version != tt.version {
				t.Errorf("server %+v, client %+v: %s, %v", tt.server, tt.client, tls.VersionName(state.Version), err)
			}
		}
		for _, config := range []*tls.Config{f.store.Server(&tls.Config{MinVersion: tls.VersionTLS10}), f.store.Client(&tls.Config{MinVersion: tls.VersionTLS10})} {
			if config.MinVersion != tls.VersionTLS12 {
				t.Errorf("TLS begins with %s", tls.VersionName(config.MinVersion))
			}
		}
	})
}

// The files count more than the configuration, which stays as it was, and counts for the rest.
func TestBase(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		stranger := certstest.NewAuthority(t, "stranger")
		wrong := stranger.Pair("localhost").TLS(t)
		var verified atomic.Int32
		base := &tls.Config{
			ServerName:     "localhost",
			Certificates:   []tls.Certificate{wrong},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &wrong, nil },
			RootCAs:        stranger.Pool(), ClientCAs: stranger.Pool(),
			ClientAuth:       tls.NoClientCert,
			VerifyConnection: func(tls.ConnectionState) error { verified.Add(1); return nil },
		}
		state := must(t, f.store.Server(base), f.store.Client(base))
		if got := state.PeerCertificates[0].Subject.CommonName; got != "first" || verified.Load() != 2 {
			t.Errorf("the certificate is that of %s; verified %d times", got, verified.Load())
		}
		if base.MinVersion != 0 || base.ClientAuth != tls.NoClientCert || base.GetConfigForClient != nil || base.ClientSessionCache != nil {
			t.Error("the base was changed")
		}
		// Without files it is all there is.
		bare, err := certs.Open(certs.Files{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		state = must(t, bare.Server(base), bare.Client(base))
		if got := state.PeerCertificates[0].Issuer.CommonName; got != "stranger" {
			t.Errorf("the certificate is signed by %s", got)
		}
	})
}

// A GetConfigForClient of the base decides first.
func TestBaseDecides(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		own := &tls.Config{Certificates: []tls.Certificate{f.authority.Pair("own").TLS(t)}}
		refused := errors.New("refused")
		for _, tt := range []struct {
			config *tls.Config
			err    error
			name   string
		}{{nil, nil, "first"}, {own, nil, "own"}, {nil, refused, ""}} {
			base := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return tt.config, tt.err }}
			state, serverErr, _ := meet(t, f.store.Server(base), f.store.Client(localhost))
			if !errors.Is(serverErr, tt.err) || tt.err == nil && state.PeerCertificates[0].Subject.CommonName != tt.name {
				t.Errorf("want %q, %v; got %v", tt.name, tt.err, serverErr)
			}
		}
	})
}

// A client certificate is demanded, and must be signed by the authority of the file; a client sends its own, whoever signed it.
func TestClientCertificates(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		stranger := certstest.NewAuthority(t, "stranger")
		for _, tt := range []struct {
			name string
			pair *certstest.Pair
			says string
		}{
			{"none", nil, "didn't provide a certificate"},
			{"of another authority", ptr(stranger.Pair("stranger")), "unknown authority"},
			{"expired", ptr(f.authority.PairFor("client", -time.Hour)), "expired"},
			{"good", ptr(f.authority.Pair("client")), ""},
		} {
			files := certs.Files{CA: f.files.CA}
			if tt.pair != nil {
				files.Cert, files.Key = tt.pair.Write(t, f.dir, "client")
			}
			client, err := certs.Open(files, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, serverErr, clientErr := meet(t, f.store.Server(nil), client.Client(localhost))
			switch {
			case tt.says == "" && (serverErr != nil || clientErr != nil):
				t.Errorf("%s: server %v, client %v", tt.name, serverErr, clientErr)
			case tt.says != "" && (clientErr == nil || serverErr == nil || !strings.Contains(serverErr.Error(), tt.says)):
				t.Errorf("%s: server %v, client %v; want %q", tt.name, serverErr, clientErr, tt.says)
			}
		}
	})
}

func ptr[T any](v T) *T { return &v }

// Sessions are resumed, also when the server has another certificate, and no more when the client has: its new one is to be
// seen, and the old one not to be trusted for longer than it is.
func TestSessions(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		files := certs.Files{CA: filepath.Join(f.dir, "client-ca.pem")}
		certstest.WriteFile(t, files.CA, f.authority.PEM)
		files.Cert, files.Key = f.authority.Pair("client").Write(t, f.dir, "client")
		client, err := certs.Open(files, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		server := f.store.Server(nil)
		expect := func(when string, resumed bool) {
			t.Helper()
			if state := must(t, server, client.Client(localhost)); state.DidResume != resumed {
				t.Errorf("%s: resumed is %v", when, state.DidResume)
			}
		}
		expect("at first", false)
		expect("then", true)
		f.authority.Pair("second").Write(t, f.dir, "app")
		time.Sleep(time.Second)
		expect("with another server certificate", true)
		f.uses("second")
		f.authority.Pair("client2").Write(t, f.dir, "client")
		time.Sleep(time.Second)
		expect("with another client certificate", false)
		expect("and again", true)

		// The authority of the client's certificate is not trusted any more.
		other := certstest.NewAuthority(t, "other")
		certstest.WriteFile(t, f.files.CA, other.PEM)
		time.Sleep(time.Second)
		if _, serverErr, clientErr := meet(t, server, client.Client(localhost)); serverErr == nil || clientErr == nil {
			t.Errorf("with another authority: server %v, client %v", serverErr, clientErr)
		}
	})
}
