package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/certs"
	"github.com/simple-fastcgi/fastcgi/internal/tlsconn"
)

// clientCerts are what a Client's files hold, once a connection with TLS has been made or tried.
type clientCerts struct {
	mu    sync.Mutex
	store *certs.Store // nil before
}

// tlsTarget returns the address that TLS is to go over, if it is one for TLS. A Dial makes connections in place of Addr's, and
// TLS goes over those as well.
func (c *Client) tlsTarget() (a address.Address, ok bool, err error) {
	a, err = address.Parse(c.Addr)
	if err == nil && a.TLS() {
		return a, true, nil
	}
	if c.CertFile != "" || c.KeyFile != "" || c.CAFile != "" || c.ServerName != "" || c.TLSConfig != nil {
		return a, false, fmt.Errorf("fastcgi: Client has settings for TLS, and the address %q is without: write tls:host:port, "+
			"or leave CertFile, KeyFile, CAFile, ServerName and TLSConfig out", c.Addr)
	}
	return a, false, nil
}

// overTLS returns a connector that speaks TLS over what connect returns, within the same time.
func (c *Client) overTLS(a address.Address, connect func(context.Context) (net.Conn, error)) (func(context.Context) (net.Conn, error), error) {
	config, err := c.tlsConfig(a)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		nc, err := connect(ctx)
		if err != nil {
			return nil, err
		}
		tc := tls.Client(nc, config)
		if err := tc.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, handshakeError(err)
		}
		return &secureConn{Conn: tlsconn.New(tc), spoken: make(chan struct{})}, nil
	}, nil
}

// A secureConn is a connection with TLS on which nothing is read before something is written. With TLS 1.3 an application that
// does not trust this end's certificate says so when the handshake is over here: that is the error of a request, and
// not of a connection that has none and would be replaced by the next.
type secureConn struct {
	*tlsconn.Conn
	once   sync.Once
	spoken chan struct{} // closed by the first Write, or Close
}

// Read is as in net.Conn.
func (c *secureConn) Read(p []byte) (int, error) {
	<-c.spoken
	return c.Conn.Read(p)
}

// Write is as in net.Conn.
func (c *secureConn) Write(p []byte) (int, error) {
	c.speak()
	return c.Conn.Write(p)
}

// Close is as in net.Conn.
func (c *secureConn) Close() error {
	c.speak()
	return c.Conn.Close()
}

func (c *secureConn) speak() { c.once.Do(func() { close(c.spoken) }) }

// tlsConfig returns what the next connection is made with.
func (c *Client) tlsConfig(a address.Address) (*tls.Config, error) {
	store, err := c.openCerts()
	if err != nil {
		return nil, err
	}
	config := store.Client(c.TLSConfig)
	if c.ServerName != "" {
		config.ServerName = c.ServerName
	}
	if config.ServerName == "" {
		config.ServerName = serverName(a)
	}
	return config, nil
}

// serverName returns the name that the certificate of whoever listens at a is for.
func serverName(a address.Address) string {
	host, _, err := net.SplitHostPort(a.Name())
	if err != nil || host == "" {
		return "localhost" // :9000 is dialled there
	}
	host, _, _ = strings.Cut(host, "%") // the zone is an interface's name here
	return host
}

// openCerts reads the files, or has them at hand.
func (c *Client) openCerts() (*certs.Store, error) {
	c.certs.mu.Lock()
	defer c.certs.mu.Unlock()
	if c.certs.store != nil {
		return c.certs.store, nil
	}
	if c.CertFile == "" && c.KeyFile != "" {
		return nil, fmt.Errorf("fastcgi: Client.KeyFile is %q, and there is no CertFile: name the file of its certificate", c.KeyFile)
	}
	store, err := certs.Open(certs.Files{Cert: c.CertFile, Key: c.KeyFile, CA: c.CAFile}, c.certsChanged)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: Client: %w", err)
	}
	c.certs.store = store
	return store, nil
}

func (c *Client) certsChanged(err error) {
	log := c.ErrorLog
	if log == nil {
		log = slog.Default()
	}
	if err != nil {
		log.Error("fastcgi: changed certificate files cannot be used, the old certificates stay", "addr", c.Addr, "error", err)
		return
	}
	log.Info("fastcgi: certificate files read again", "addr", c.Addr)
}

// alerted reports whether the application has ended a connection with an alert of TLS: it does not want this end's certificate,
// and does not want it on the next connection either.
func alerted(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error"
}

// handshakeError adds to the error of a handshake what to do about it.
func handshakeError(err error) error {
	if remedy := handshakeRemedy(err); remedy != "" {
		return fmt.Errorf("TLS handshake: %w: %s", err, remedy)
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

func handshakeRemedy(err error) string {
	var (
		plain     tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &plain):
		return "the application does not speak TLS there: write tcp: instead of tls:, or give it a certificate"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the application has closed the connection, as it does if it does not speak TLS there"
	case errors.As(err, &authority):
		return "set Client.CAFile to the certificate of the authority that has signed the application's"
	case errors.As(err, &name):
		return "set Client.ServerName to a name that the application's certificate is for"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the application's certificate, or set this machine's clock"
	}
	return ""
}
