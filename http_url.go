package fastcgi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// setURL sets RequestURI and URL.
func (v *metaVariables) setURL(r *http.Request) error {
	r.RequestURI = v.requestURI
	if r.RequestURI == "" {
		r.RequestURI = v.composedURI()
	}
	target := originForm(r.RequestURI)
	if target != "*" && !strings.HasPrefix(target, "/") {
		return fmt.Errorf("REQUEST_URI is %q, which is neither a path nor a URL of http", v.requestURI)
	}
	// Servlet containers leave the query out of REQUEST_URI.
	if v.query != "" && target != "*" && !strings.Contains(target, "?") {
		target += "?" + v.query
	}
	if err := parseTarget(r.URL, target); err != nil {
		return fmt.Errorf("REQUEST_URI is %q, QUERY_STRING is %q: %w", v.requestURI, v.query, err)
	}
	return nil
}

// parseTarget sets u to a target. A plain one, as most are, needs no more than to
// be cut at its query. Everything is path and query, since there is a slash in
// front.
func parseTarget(u *url.URL, target string) error {
	if path, query, hasQuery := strings.Cut(target, "?"); isPlainPath(path) && isPrintable(query) {
		*u = url.URL{Path: path, RawQuery: query, ForceQuery: hasQuery && query == ""}
		return nil
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

// composedURI puts the request's target together from its parts, of which the
// paths are decoded (RFC 3875 §4.1.5).
func (v *metaVariables) composedURI() string {
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

// setHost sets Host: what the client asked for, or else the name of the web
// server.
func (v *metaVariables) setHost(r *http.Request) error {
	switch {
	case v.host == "":
		r.Host = v.serverHost()
	case !validHost(v.host):
		return fmt.Errorf("HTTP_HOST is %q", v.host)
	default:
		r.Host = v.host
	}
	return nil
}

// serverHost returns the name of the web server, with its port unless the
// scheme implies that. It is empty where the name is none, such as "_", which
// nginx shows for a server of all names, or a pattern.
func (v *metaVariables) serverHost() string {
	name := v.serverName
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
		name = "[" + name + "]"
	}
	if name == "" || name == "_" || !validHost(name) {
		return ""
	}
	implied := "80"
	if v.isTLS() {
		implied = "443"
	}
	if v.serverPort == "" || v.serverPort == implied || !validHost(v.serverPort) {
		return name
	}
	return name + ":" + v.serverPort
}

// validHost reports whether s may be a host with a port, going by its
// characters: those of RFC 3986 §3.2 without "@".
func validHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-.:_[]~!$%&'()*+,;=", c) >= 0:
		default:
			return false
		}
	}
	return true
}
