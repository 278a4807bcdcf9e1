package cgi

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// isTLS reports whether the client speaks to the web server over TLS. HTTPS
// decides, which web servers set by themselves or their owners by hand, and
// REQUEST_SCHEME only where HTTPS says nothing.
func (v *requestVariables) isTLS() bool {
	switch strings.ToLower(v.https) {
	case "on", "1":
		return true
	case "off", "0":
		return false
	}
	return strings.EqualFold(v.scheme, "https")
}

// tlsState returns what the web server tells of the client's TLS connection.
func (v *requestVariables) tlsState(variables protocol.Pairs) *tls.ConnectionState {
	state := &tls.ConnectionState{
		HandshakeComplete: true,
		Version:           TLSVersion(v.sslProtocol),
		CipherSuite:       CipherSuite(v.sslCipher),
		ServerName:        v.sslServerName,
		DidResume:         v.sslSessionResumed == "Resumed" || v.sslSessionResumed == "r",
	}
	if cert := parseCertificate(v.sslClientCert); cert != nil {
		state.PeerCertificates = append([]*x509.Certificate{cert}, issuers(variables)...)
		if v.sslClientVerify == "SUCCESS" {
			state.VerifiedChains = [][]*x509.Certificate{state.PeerCertificates}
		}
	}
	return state
}

// issuers returns the certificates that the client sent with its own, as Apache
// passes them: SSL_CLIENT_CERT_CHAIN_0 and so on.
func issuers(variables protocol.Pairs) (certs []*x509.Certificate) {
	for i := range maxIssuers {
		cert := parseCertificate(variables.Get("SSL_CLIENT_CERT_CHAIN_" + strconv.Itoa(i)))
		if cert == nil {
			break
		}
		certs = append(certs, cert)
	}
	return certs
}

// maxIssuers is how many certificates are looked for behind the client's own. A
// chain of more is none that web servers accept.
const maxIssuers = 10

// parseCertificate reads a certificate in PEM, or returns nil. nginx has it in
// three forms: as it is, with a tab before each line ($ssl_client_cert), and
// escaped as in a URL ($ssl_client_escaped_cert).
func parseCertificate(text string) *x509.Certificate {
	if strings.Contains(text, "%") {
		text, _ = url.PathUnescape(text)
	}
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, "\t", "")))
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}
