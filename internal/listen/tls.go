package listen

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/certs"
	"github.com/simple-fastcgi/fastcgi/internal/logtext"
	"github.com/simple-fastcgi/fastcgi/internal/tlsconn"
)

// A TLSListener speaks TLS over the connections of a [Listener].
//
// Its methods may be called by several goroutines at once.
type TLSListener struct {
	// Immutable.
	inner   *Listener
	config  *tls.Config
	refused func(addr net.Addr, reason string) // nil: nobody is told
}

// Accept waits for the next permitted peer. The handshake is not done here, where it would keep others waiting, but by the first Read
// of the connection; one that fails is told to Options.Refused.
func (l *TLSListener) Accept() (net.Conn, error) {
	c, err := l.inner.Accept()
	if err != nil {
		return nil, err
	}
	return tlsconn.Server(c, l.config, func(reason error) {
		if l.refused != nil {
			// The reason may quote what the peer sent.
			l.refused(c.RemoteAddr(), logtext.Escape(reason.Error(), logtext.Limit))
		}
	}), nil
}

// Unwrap is the Listener beneath: accepting from it skips TLS.
func (l *TLSListener) Unwrap() net.Listener { return l.inner }

// Name is that of the Listener beneath.
func (l *TLSListener) Name() string { return l.inner.Name() }

// Addr is the address the socket is bound to.
func (l *TLSListener) Addr() net.Addr { return l.inner.Addr() }

// Close stops listening.
func (l *TLSListener) Close() error { return l.inner.Close() }

// Scheme is the word that an address of l's kind begins with: a network, or tls.
func Scheme(l net.Listener) string {
	if _, ok := l.(*TLSListener); ok {
		return "tls"
	}
	return l.Addr().Network()
}

// docs is where a person reads how to make certificates.
const docs = "docs/tls.md has the commands"

// hasTLS reports whether there is any option that is for TLS alone.
func (o *Options) hasTLS() bool {
	return o.CertFile != "" || o.KeyFile != "" || o.ClientCAFile != "" || o.TLSConfig != nil
}

// newTLS reads the certificates that the options name; nil if there are none.
func newTLS(o *Options) (*tls.Config, error) {
	if !o.hasTLS() {
		return nil, nil
	}
	base := o.TLSConfig
	if base == nil {
		base = new(tls.Config)
	}
	switch {
	case o.CertFile == "" && o.KeyFile != "":
		return nil, fmt.Errorf("fastcgi: ListenOptions.KeyFile is %q, and there is no CertFile: name the file of its certificate", o.KeyFile)
	case o.CertFile == "" && len(base.Certificates) == 0 && base.GetCertificate == nil && base.GetConfigForClient == nil:
		return nil, errors.New("fastcgi: ListenOptions has settings for TLS and no certificate: set CertFile and KeyFile; " + docs)
	}
	changed := o.CertsChanged
	if changed == nil {
		changed = func(error) {}
	}
	store, err := certs.Open(certs.Files{Cert: o.CertFile, Key: o.KeyFile, CA: o.ClientCAFile}, changed)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: ListenOptions: %w", err)
	}
	return store.Server(o.TLSConfig), nil
}

// demandsCertificate reports whether every peer must show a certificate that an authority has signed: that is authentication.
func (o *Options) demandsCertificate() bool {
	c := o.TLSConfig
	if c == nil {
		return o.ClientCAFile != ""
	}
	// What GetConfigForClient returns may demand none.
	return c.GetConfigForClient == nil && (o.ClientCAFile != "" || c.ClientAuth == tls.RequireAndVerifyClientCert)
}

// checkTLS says why an address and the options for TLS do not go together.
func (o *opener) checkTLS(a address.Address) error {
	switch {
	case a.TLS() && o.tls == nil:
		return fmt.Errorf("fastcgi: %q needs a certificate: set ListenOptions.CertFile and KeyFile; %s", a, docs)
	case a.Kind() == address.TCP && !a.TLS() && o.tls != nil:
		return fmt.Errorf("fastcgi: %q is without TLS, and ListenOptions has a certificate: write tls:%s, or leave CertFile, KeyFile, "+
			"ClientCAFile and TLSConfig out", a, a.Name())
	case a.Kind() == address.Unix && o.tls != nil:
		return fmt.Errorf("fastcgi: %q: %w", a, errUnixTLS)
	}
	return nil
}

var errUnixTLS = errors.New("a Unix socket has no TLS, as nobody can listen in on it: " +
	"leave ListenOptions.CertFile, KeyFile, ClientCAFile and TLSConfig out, or listen on tls:host:port")

// secure has a listener speak TLS, if the options have a certificate.
func (o *opener) secure(l *Listener) net.Listener {
	if o.tls == nil {
		return l
	}
	return &TLSListener{inner: l, config: o.tls, refused: o.opts.Refused}
}
