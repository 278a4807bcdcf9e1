package fastcgi_test

import (
	"net/url"
	"strings"
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

// W11: where a browser goes, by the WHATWG's URL standard, and where net/url says that a target leads. They agree on each
// target that is sent.
func TestW11HostsByStandard(t *testing.T) {
	for _, test := range []struct {
		target  string
		browser string // the host, for a page of app.example; "": no URL
		netURL  string // "": no URL
		sent    bool
	}{
		{"/x", "app.example", "app.example", true},
		{"/a//b", "app.example", "app.example", true},
		{"/%09/evil.example", "app.example", "app.example", true},
		{"/%5Cevil.example", "app.example", "app.example", true},
		{"https://other.example/x", "other.example", "other.example", true},
		{"https://user@other.example/", "other.example", "other.example", true},
		{"//evil.example/x", "evil.example", "evil.example", false},
		{"///evil.example/x", "evil.example", "app.example", false},
		{`/\evil.example/x`, "evil.example", "app.example", false},
		{`\/evil.example/x`, "evil.example", "app.example", false},
		{`\\evil.example/x`, "evil.example", "app.example", false},
		{`/a\b`, "app.example", "app.example", false},
		{"/\t/evil.example", "evil.example", "", false},
		{"/\n\\evil.example", "evil.example", "", false},
		{" //evil.example", "evil.example", "app.example", false},
		{"\x1f//evil.example", "evil.example", "", false},
		{"http:evil.example", "evil.example", "", false},
		{"http:/evil.example", "evil.example", "", false},
		{"http:///evil.example", "evil.example", "", false},
		{"https:evil.example", "app.example", "", false}, // a relative one, where the page has the same scheme
		{`https:/\evil.example`, "evil.example", "", false},
		{`https:\\evil.example`, "evil.example", "", false},
		{`https://evil.example\@app.example/`, "evil.example", "", false},
		{"ht\ntp://evil.example", "evil.example", "", false},
	} {
		var w recorder
		sent := fastcgi.SendRedirect(&w, test.target) == nil
		browser, netURL := browserHost(test.target), netURLHost(test.target)
		if sent != test.sent || browser != test.browser || netURL != test.netURL {
			t.Errorf("%q: sent %v, browsers go to %q, net/url to %q; want %v, %q, %q",
				test.target, sent, browser, netURL, test.sent, test.browser, test.netURL)
		}
	}
}

// W11: no target is sent that browsers and net/url take for different hosts, or that is a script.
func FuzzSendRedirect(f *testing.F) {
	for _, seed := range []string{
		"/x", "//h/", `/\h`, "/\t/h", "https:h", `https:/\h`, "https://h/", "https://u@h:1/", `https://h\@i/`, "http:///h", "javascript:x", " /x",
		"https://h", "https://[::1]/", "mailto:a@b", "https://:1/", "https://@h/", "https://h?//i", "/?\\", "https://h#@i", "wss:h", "file:///x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		var w recorder
		if fastcgi.SendRedirect(&w, target) != nil {
			if w.Len() > 0 {
				t.Errorf("%q is refused, and yet %q was written", target, w.String())
			}
			return
		}
		browser, netURL := browserHost(target), netURLHost(target)
		if browser != "" && netURL != "" && browser != netURL {
			t.Errorf("%q is sent: browsers go to %q, net/url to %q", target, browser, netURL)
		}
		if strings.HasPrefix(target, "/") && browser != "app.example" {
			t.Errorf("%q is sent: browsers go to %q", target, browser)
		}
		if strings.HasPrefix(strings.ToLower(target), "javascript:") {
			t.Errorf("%q is sent", target)
		}
	})
}

// browserHost is the part of the URL standard's parser (https://url.spec.whatwg.org/#url-parsing) that finds the host of
// what a page of https://app.example/dir/ leads to. It is "" where there is none.
func browserHost(target string) string {
	const own, ownScheme = "app.example", "https"
	target = strings.TrimFunc(target, func(r rune) bool { return r <= ' ' })
	target = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(target)
	scheme, rest := ownScheme, target
	absolute := false
	if i := strings.IndexFunc(target, func(r rune) bool {
		return !('a' <= r|0x20 && r|0x20 <= 'z' || strings.ContainsRune("0123456789+-.", r))
	}); i > 0 && target[i] == ':' && 'a' <= target[0]|0x20 && target[0]|0x20 <= 'z' {
		scheme, rest, absolute = strings.ToLower(target[:i]), target[i+1:], true
	}
	switch scheme {
	case "http", "https", "ws", "wss", "ftp":
	default:
		return "" // no special scheme: what such a host is depends on the program
	}
	isSlash := func(i int) bool { return i < len(rest) && (rest[i] == '/' || rest[i] == '\\') }
	relative := !absolute || scheme == ownScheme && !strings.HasPrefix(rest, "//")
	if relative && !(isSlash(0) && isSlash(1)) {
		return own
	}
	rest = strings.TrimLeft(rest, `/\`)
	if i := strings.IndexAny(rest, `/\?#`); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[strings.LastIndex(rest, "@")+1:]
	if i := strings.LastIndex(rest, ":"); i >= 0 && !strings.HasSuffix(rest, "]") {
		rest = rest[:i]
	}
	return strings.ToLower(rest)
}

// netURLHost is what net/url makes of the same.
func netURLHost(target string) string {
	base := &url.URL{Scheme: "https", Host: "app.example", Path: "/dir/"}
	u, err := base.Parse(target)
	if err != nil {
		return ""
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return strings.ToLower(host)
}
