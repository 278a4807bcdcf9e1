package cgi

import "crypto/tls"

// A tlsName is what OpenSSL, and so web servers, call a version of TLS or a cipher
// suite.
type tlsName struct {
	id   uint16
	name string
}

var tlsVersions = []tlsName{
	{tls.VersionTLS10, "TLSv1"},
	{tls.VersionTLS11, "TLSv1.1"},
	{tls.VersionTLS12, "TLSv1.2"},
	{tls.VersionTLS13, "TLSv1.3"},
}

// cipherSuites are those that OpenSSL does not call as the IANA and crypto/tls do:
// all before TLS 1.3.
var cipherSuites = []tlsName{
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA"},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA"},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256"},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA"},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA"},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384"},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256"},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305"},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"},
}

// TLSVersion returns the version that SSL_PROTOCOL names, or 0.
func TLSVersion(name string) uint16 { return idOf(tlsVersions, name) }

// TLSVersionName returns what SSL_PROTOCOL has for a version.
func TLSVersionName(version uint16) string {
	if name := nameOf(tlsVersions, version); name != "" {
		return name
	}
	return tls.VersionName(version)
}

// CipherSuite returns the suite that SSL_CIPHER names, by OpenSSL's name or the
// IANA's, or 0.
func CipherSuite(name string) uint16 {
	if id := idOf(cipherSuites, name); id != 0 || name == "" {
		return id
	}
	for _, suite := range tls.CipherSuites() {
		if suite.Name == name {
			return suite.ID
		}
	}
	return 0
}

// CipherSuiteName returns what SSL_CIPHER has for a suite.
func CipherSuiteName(id uint16) string {
	if name := nameOf(cipherSuites, id); name != "" {
		return name
	}
	return tls.CipherSuiteName(id)
}

func idOf(names []tlsName, name string) uint16 {
	for _, n := range names {
		if n.name == name {
			return n.id
		}
	}
	return 0
}

func nameOf(names []tlsName, id uint16) string {
	for _, n := range names {
		if n.id == id {
			return n.name
		}
	}
	return ""
}
