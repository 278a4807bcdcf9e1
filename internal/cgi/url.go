package cgi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// setURL sets RequestURI and URL.
//
// QUERY_STRING is the query wherever it is there (RFC 3875 §4.1.7), also if it is
// empty: a web server that rewrites requests tells in it what it has made of the
// query, while REQUEST_URI stays what the client sent.
func (v *requestVariables) setURL(r *http.Request) error {
	r.RequestURI = v.requestURI
	if r.RequestURI == "" {
		r.RequestURI = v.composedURI()
	}
	target := originForm(r.RequestURI)
	if target != "*" && !strings.HasPrefix(target, "/") {
		return fmt.Errorf("REQUEST_URI is %q, which is neither a path nor a URL of http", v.requestURI)
	}
	path, query, _ := strings.Cut(target, "?")
	bare := query == "" && len(path) < len(target)
	if v.hasQuery && target != "*" {
		if v.requestURI != "" && hasControl(query) {
			return fmt.Errorf("REQUEST_URI is %q, with a control character", v.requestURI)
		}
		query = v.query
	}
	if err := setTarget(r.URL, path, query); err != nil {
		return fmt.Errorf("REQUEST_URI is %q, QUERY_STRING is %q: %w", v.requestURI, v.query, err)
	}
	r.URL.ForceQuery = bare && query == ""
	return nil
}

// setTarget sets u to a path, encoded, and a query. A plain path, as most are,
// needs no parsing.
func setTarget(u *url.URL, path, query string) error {
	if isPlainPath(path) && isPrintable(query) {
		*u = url.URL{Path: path, RawQuery: query}
		return nil
	}
	// With the slash in front, everything is path and query.
	target := path
	if query != "" {
		target += "?" + query
	}
	parsed, err := url.ParseRequestURI(target)
	if err == nil {
		*u = *parsed
	}
	return err
}

// isPlainPath reports whether a path is the same encoded and decoded.
func isPlainPath(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("/-_.~$&+,:;=@", c) >= 0:
		default:
			return false
		}
	}
	return strings.HasPrefix(path, "/")
}

// isPrintable reports whether s has only visible characters of ASCII.
func isPrintable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// hasControl reports whether s has one of the control characters that no URL has.
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// composedURI puts the request's target together from its parts, of which the
// paths are decoded (RFC 3875 §4.1.5).
func (v *requestVariables) composedURI() string {
	path := v.scriptName + v.pathInfo
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	uri := (&url.URL{Path: path}).EscapedPath()
	if v.query != "" {
		uri += "?" + v.query
	}
	return uri
}

// originForm returns a target as path and query. One in absolute form (RFC 9112
// §3.2.2) has a host, which the client wrote: it is left out, because the web
// server has decided which host this is, and says so elsewhere.
func originForm(target string) string {
	rest, ok := cutScheme(target)
	if !ok {
		return target
	}
	at := strings.IndexAny(rest, "/?")
	switch {
	case at < 0:
		return "/"
	case rest[at] == '?':
		return "/" + rest[at:]
	}
	return rest[at:]
}

// cutScheme returns what follows the scheme of a URL of http.
func cutScheme(target string) (rest string, ok bool) {
	for _, scheme := range []string{"http://", "https://"} {
		if len(target) >= len(scheme) && strings.EqualFold(target[:len(scheme)], scheme) {
			return target[len(scheme):], true
		}
	}
	return "", false
}
