package cgi_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// What the gateway says is what an application understands.
func TestTLSNamesBothWays(t *testing.T) {
	for version := uint16(tls.VersionTLS10); version <= tls.VersionTLS13; version++ {
		if name := cgi.TLSVersionName(version); cgi.TLSVersion(name) != version || !strings.HasPrefix(name, "TLSv1") {
			t.Errorf("version %#x is %q, and that is %#x", version, name, cgi.TLSVersion(name))
		}
	}
	for _, suite := range tls.CipherSuites() {
		name := cgi.CipherSuiteName(suite.ID)
		if cgi.CipherSuite(name) != suite.ID || cgi.CipherSuite(suite.Name) != suite.ID {
			t.Errorf("%s is %q, and that is %#x", suite.Name, name, cgi.CipherSuite(name))
		}
		// Of the names in OpenSSL, only those of TLS 1.3 are the IANA's.
		if is13 := suite.SupportedVersions[0] == tls.VersionTLS13; is13 != (name == suite.Name) {
			t.Errorf("%s is %q", suite.Name, name)
		}
	}
}

func TestTLSNamesUnknown(t *testing.T) {
	for _, name := range []string{"", "SSLv3", "ROT13", "TLSv1.4"} {
		if v, c := cgi.TLSVersion(name), cgi.CipherSuite(name); v != 0 || c != 0 {
			t.Errorf("%q: version %#x, suite %#x", name, v, c)
		}
	}
	if v, c := cgi.TLSVersionName(0x9999), cgi.CipherSuiteName(0x9999); v != "0x9999" || c != "0x9999" {
		t.Errorf("got %q and %q", v, c)
	}
}
