package cgi

import "crypto/tls"

// addTLS adds what there is to say about a TLS connection, in the names of
// Apache's mod_ssl.
func addTLS(v *pairs, state *tls.ConnectionState) {
	if state == nil {
		return
	}
	v.add("SSL_PROTOCOL", TLSVersionName(state.Version))
	v.add("SSL_CIPHER", CipherSuiteName(state.CipherSuite))
	v.addSome("SSL_TLS_SNI", state.ServerName)
	v.add("SSL_CLIENT_VERIFY", clientVerify(state))
	if len(state.PeerCertificates) == 0 {
		return
	}
	cert := state.PeerCertificates[0]
	v.add("SSL_CLIENT_S_DN", cert.Subject.String())
	v.add("SSL_CLIENT_I_DN", cert.Issuer.String())
	v.add("SSL_CLIENT_M_SERIAL", cert.SerialNumber.Text(16))
}

// clientVerify says what is known of the client's certificate: NONE if it has
// none, GENEROUS if nobody checked it.
func clientVerify(state *tls.ConnectionState) string {
	switch {
	case len(state.VerifiedChains) > 0:
		return "SUCCESS"
	case len(state.PeerCertificates) > 0:
		return "GENEROUS"
	}
	return "NONE"
}
