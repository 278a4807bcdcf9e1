package fastcgi

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strconv"
	"strings"
)

// isTLS reports whether the client speaks to the web server over TLS.
func (v *metaVariables) isTLS() bool {
	return v.https == "1" || strings.EqualFold(v.https, "on") || strings.EqualFold(v.scheme, "https")
}

// tlsState returns what the web server tells of the client's TLS connection.
func (v *metaVariables) tlsState(p Params) *tls.ConnectionState {
	state := &tls.ConnectionState{
		HandshakeComplete: true,
		Version:           tlsVersions[v.sslProtocol],
		CipherSuite:       cipherSuite(v.sslCipher),
		ServerName:        v.sslServerName,
		DidResume:         v.sslSessionResumed == "Resumed" || v.sslSessionResumed == "r",
	}
	if cert := parseCertificate(v.sslClientCert); cert != nil {
		state.PeerCertificates = append([]*x509.Certificate{cert}, issuers(p)...)
		if v.sslClientVerify == "SUCCESS" {
			state.VerifiedChains = [][]*x509.Certificate{state.PeerCertificates}
		}
	}
	return state
}

// issuers returns the certificates that the client sent with its own, as Apache
// passes them: SSL_CLIENT_CERT_CHAIN_0 and so on.
func issuers(p Params) (certs []*x509.Certificate) {
	for i := range maxIssuers {
		cert := parseCertificate(p.Get("SSL_CLIENT_CERT_CHAIN_" + strconv.Itoa(i)))
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

// tlsVersions are the versions as OpenSSL, and so web servers, call them.
var tlsVersions = map[string]uint16{
	"TLSv1":   tls.VersionTLS10,
	"TLSv1.1": tls.VersionTLS11,
	"TLSv1.2": tls.VersionTLS12,
	"TLSv1.3": tls.VersionTLS13,
}

// cipherSuites are the suites that OpenSSL has names of its own for.
var cipherSuites = map[string]uint16{
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// cipherSuite returns the suite of a name, OpenSSL's or the IANA's, or 0.
func cipherSuite(name string) uint16 {
	if id, ok := cipherSuites[name]; ok || name == "" {
		return id
	}
	for _, suite := range tls.CipherSuites() {
		if suite.Name == name {
			return suite.ID
		}
	}
	return 0
}
