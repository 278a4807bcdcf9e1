package fastcgi_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clientCertificate makes a certificate in PEM.
func clientCertificate(t *testing.T) string {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "joe"}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Those that the client sent with its own, as Apache passes them, are behind it.
func TestHTTPClientCertificateChain(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		states := make(chan *tls.ConnectionState, 1)
		web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { states <- r.TLS })).dial(t)
		params := httpGet("HTTPS", "on", "SSL_CLIENT_VERIFY", "SUCCESS", "SSL_CLIENT_CERT", clientCertificate(t))
		for i := range 12 {
			web.ask(1, params...)
			state := <-states
			// Beyond ten nobody looks.
			if want := 1 + min(i, 10); len(state.PeerCertificates) != want || len(state.VerifiedChains[0]) != want {
				t.Errorf("%d certificates with %d issuers", len(state.PeerCertificates), i)
			}
			params = append(params, "SSL_CLIENT_CERT_CHAIN_"+strconv.Itoa(i), clientCertificate(t))
		}
	})
}

// A client's certificate is there in whatever form it comes, and counts as verified only if the web server says so.
func TestHTTPClientCertificate(t *testing.T) {
	cert := clientCertificate(t)
	onUnix(t, func(t *testing.T, p place) {
		states := make(chan *tls.ConnectionState, 1)
		web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { states <- r.TLS })).dial(t)
		for _, tt := range []struct {
			name, cert, verify string
			present, verified  bool
		}{
			{"verified", cert, "SUCCESS", true, true},
			{"indented", strings.ReplaceAll(cert, "\n", "\n\t"), "SUCCESS", true, true},
			{"escaped", url.PathEscape(cert), "SUCCESS", true, true},
			{"not verified", cert, "FAILED:unable to verify the first certificate", true, false},
			{"not checked", cert, "", true, false},
			{"none", "", "NONE", false, false},
			{"none, but verified", "", "SUCCESS", false, false},
			{"no PEM", "joe", "SUCCESS", false, false},
			{"bad escapes", "%zz", "SUCCESS", false, false},
			{"no certificate", "-----BEGIN A-----\nAAAA\n-----END A-----\n", "SUCCESS", false, false},
		} {
			web.ask(1, httpGet("HTTPS", "on", "SSL_CLIENT_CERT", tt.cert, "SSL_CLIENT_VERIFY", tt.verify)...)
			state := <-states
			present := len(state.PeerCertificates) == 1 && state.PeerCertificates[0].Subject.CommonName == "joe"
			verified := len(state.VerifiedChains) == 1 && state.VerifiedChains[0][0] == state.PeerCertificates[0]
			if present != tt.present || verified != tt.verified {
				t.Errorf("%s: present %v, verified %v", tt.name, present, verified)
			}
		}
	})
}
