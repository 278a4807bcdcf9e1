package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Files are the paths of certificates and keys, all in PEM form. Empty ones are not read.
type Files struct {
	Cert string // this end's certificate, followed by those between it and its authority
	Key  string // the key of that; empty if Cert holds it as well
	CA   string // the authorities that sign the other end's certificate
}

// Content is what was in Files at some time. It does not change.
type Content struct {
	Certificate *tls.Certificate // nil without Files.Cert
	CAs         *x509.CertPool   // nil without Files.CA

	// sessions are those of a client that were begun with this content. A session that is resumed shows no certificates,
	// so other ones begin new sessions.
	sessions tls.ClientSessionCache
}

// read reads the files. The error names the file, what is wrong and what to do.
func (f Files) read() (*Content, error) {
	c := &Content{sessions: tls.NewLRUClientSessionCache(0)}
	var err error
	if f.Cert != "" {
		if c.Certificate, err = readPair(f.Cert, f.Key); err != nil {
			return nil, err
		}
	}
	if f.CA != "" {
		if c.CAs, err = readPool(f.CA); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readPair(certFile, keyFile string) (*tls.Certificate, error) {
	if keyFile == "" {
		keyFile = certFile
	}
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key of the certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate in %s with the key in %s: %w: "+
			"name the PEM files of a certificate and of the key it was made for, without a password", certFile, keyFile, err)
	}
	return &pair, nil
}

func readPool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificates of authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("cannot use the authorities in %s: %w: name the PEM file of the authority's certificate", file, errNoCertificate)
	}
	return pool, nil
}

var errNoCertificate = errors.New("there is no certificate in PEM form in it")

// stamps tell the state of the files, in the order of Files; nil for one that cannot be looked at.
type stamps [3]os.FileInfo

// look follows symbolic links, so that one which points elsewhere is another file.
func (f Files) look() (s stamps) {
	for i, path := range []string{f.Cert, f.Key, f.CA} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			s[i] = info
		}
	}
	return s
}

// same reports whether nothing has changed, as far as inode, size and modification time tell.
func (s stamps) same(other stamps) bool {
	for i, a := range s {
		b := other[i]
		switch {
		case a == nil && b == nil:
		case a == nil || b == nil:
			return false
		case !os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()):
			return false
		}
	}
	return true
}
