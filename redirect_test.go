package fastcgi_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// W1: Location comes before Status, and a local redirect has no Status.
func TestSendRedirect(t *testing.T) {
	for target, want := range map[string]string{
		"/":                            "Location: /\r\n\r\n",
		"/local/path?q=1":              "Location: /local/path?q=1\r\n\r\n",
		"/a//b?to=//evil.example":      "Location: /a//b?to=//evil.example\r\n\r\n",
		"/a?to=https://example.org/":   "Location: /a?to=https://example.org/\r\n\r\n",
		"/%5Cevil.example/%0d%0a":      "Location: /%5Cevil.example/%0d%0a\r\n\r\n",
		"/javascript:alert(1)":         "Location: /javascript:alert(1)\r\n\r\n",
		"https://example.org/a?b#c":    "Location: https://example.org/a?b#c\r\nStatus: 302 Found\r\n\r\n",
		"HTTP://example.org":           "Location: HTTP://example.org\r\nStatus: 302 Found\r\n\r\n",
		"https://[::1]:8080/":          "Location: https://[::1]:8080/\r\nStatus: 302 Found\r\n\r\n",
		"mailto:joe@example.org":       "Location: mailto:joe@example.org\r\nStatus: 302 Found\r\n\r\n",
		"com.example.app:/oauth?code=": "Location: com.example.app:/oauth?code=\r\nStatus: 302 Found\r\n\r\n",
	} {
		var w recorder
		if err := fastcgi.SendRedirect(&w, target); err != nil || w.String() != want {
			t.Errorf("%q: wrote %q, error %v, want %q", target, w.String(), err, want)
		}
	}
}

// W11: what is no URL is refused, and so is whatever a browser would take for another host than it looks like.
func TestW11SendRedirectRefuses(t *testing.T) {
	for _, target := range []string{
		"", "relative", "?q", "#f", ":x", "1http://x/", "http:", ".", "../x",
		// Another host, by the WHATWG's URL standard.
		"//evil.example/x", "///evil.example/x", `/\evil.example/x`, `\/evil.example/x`, `\\evil.example/x`, `/\/evil.example`,
		"/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "\x00//evil.example",
		"\x1f/\\evil.example", "/ /evil.example", " /x", "/x ", "\x01https://evil.example/",
		// The slashes behind a scheme do not count there, be there none or five.
		"http:evil.example", "https:evil.example/x", "https:/evil.example", `https:/\evil.example`, `https:\\evil.example`,
		`https:\/evil.example`, "https:///evil.example", "HTTPS:evil.example", "ws:evil.example", "wss:/evil.example",
		"ftp:evil.example", "http://", "https://?x", "https://#x", "https:////evil.example", "ht\ttps://evil.example",
		`https://example.org\@evil.example/`, `https://example.org/\..`, `/a\b`,
		// No place at all.
		"javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "javascript://example.org/%0aalert(1)", " javascript:alert(1)",
		"data:text/html,x", "DATA:,x", "vbscript:x", "VBScript:x",
		// No header.
		"/a\r\nSet-Cookie: b", "/a\nb", "/a b", "/a\x00", "/a\x7f", "https://example.org/\r\n\r\n<p>",
	} {
		var w recorder
		if err := fastcgi.SendRedirect(&w, target); err == nil || w.Len() > 0 {
			t.Errorf("%q: wrote %q, error %v", target, w.String(), err)
		}
	}
}
