package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"
)

// minVersion is the least version of TLS that is spoken, whatever a configuration allows.
const minVersion = tls.VersionTLS12

// Server returns the configuration of a listener: base, which may be nil, with the certificate in the files in place of its own, and
// with a demand for a client certificate that one of the authorities in the files has signed, if there are any. What the files
// hold is seen anew for each handshake.
func (s *Store) Server(base *tls.Config) *tls.Config {
	base = clone(base)
	if s.files == (Files{}) {
		return base
	}
	outer := base.Clone()
	// It is the keys of outer that tickets of sessions are encrypted with, so they outlive a change of certificates.
	outer.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if base.GetConfigForClient != nil {
			if config, err := base.GetConfigForClient(hello); config != nil || err != nil {
				return config, err
			}
		}
		return s.Content().server(base), nil
	}
	return outer
}

// server returns the configuration for one handshake.
func (c *Content) server(base *tls.Config) *tls.Config {
	config := base.Clone()
	config.GetConfigForClient = nil
	if c.Certificate != nil {
		config.Certificates = []tls.Certificate{*c.Certificate}
		config.GetCertificate = nil
	}
	if c.CAs != nil {
		config.ClientCAs = c.CAs
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.VerifyConnection = c.verifyResumed(base)
	}
	return config
}

// verifyResumed returns what holds the client certificate of a session that is resumed against the authorities of today: it was
// verified when the session began, and one of them may have been removed since.
func (c *Content) verifyResumed(base *tls.Config) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if state.DidResume {
			if err := c.verifyClient(state.PeerCertificates, base.Time); err != nil {
				return err
			}
		}
		if base.VerifyConnection != nil {
			return base.VerifyConnection(state)
		}
		return nil
	}
}

func (c *Content) verifyClient(chain []*x509.Certificate, clock func() time.Time) error {
	if len(chain) == 0 {
		return errors.New("the session was begun without a client certificate")
	}
	opts := x509.VerifyOptions{
		Roots:         c.CAs,
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if clock != nil {
		opts.CurrentTime = clock()
	}
	for _, cert := range chain[1:] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(opts)
	return err
}

// Client returns the configuration for one connection to a server: base, which may be nil, with what is in the files by now. Connections
// made with the same content share their sessions.
func (s *Store) Client(base *tls.Config) *tls.Config {
	config, content := clone(base), s.Content()
	if cert := content.Certificate; cert != nil {
		// It is sent whichever authorities the server asks for: that it knows another one is then what it says.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if content.CAs != nil {
		config.RootCAs = content.CAs
	}
	if config.ClientSessionCache == nil {
		config.ClientSessionCache = content.sessions
	}
	return config
}

// clone returns a configuration of our own.
func clone(base *tls.Config) *tls.Config {
	if base == nil {
		base = new(tls.Config)
	}
	config := base.Clone()
	config.MinVersion = max(config.MinVersion, minVersion)
	return config
}
