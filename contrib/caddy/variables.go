package caddyfcgi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/simple-fastcgi/fastcgi/client"
)

// paramsOf returns the variables that params has made for a request.
func paramsOf(r *http.Request) []client.Pair { return exchangeOf(r).params }

// variables collects them.
type variables []client.Pair

func (v *variables) add(name, value string) {
	*v = append(*v, client.Pair{Name: name, Value: value})
}

// params returns the variables that Caddy's own transport would send, but for
// CONTENT_LENGTH and the header: package client adds those.
func (t *Transport) params(r *http.Request) ([]client.Pair, error) {
	repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	v := make(variables, 0, 32+len(t.EnvVars))
	t.addServer(&v, r)
	addClient(&v, r, repl)
	if err := t.addPaths(&v, r, repl); err != nil {
		return nil, err
	}
	addTLS(&v, r.TLS)
	return t.withEnv(v, repl), nil
}

// withEnv adds the variables of the configuration, in place of those of the same
// names.
func (t *Transport) withEnv(v variables, repl *caddy.Replacer) []client.Pair {
	kept := v[:0]
	for _, p := range v {
		if _, set := t.EnvVars[p.Name]; !set {
			kept = append(kept, p)
		}
	}
	for name, value := range t.EnvVars {
		kept.add(name, repl.ReplaceAll(value, ""))
	}
	return kept
}

func (t *Transport) addServer(v *variables, r *http.Request) {
	scheme, port := "http", "80"
	if r.TLS != nil {
		scheme, port = "https", "443"
	}
	name := r.Host
	if host, p, err := net.SplitHostPort(r.Host); err == nil {
		name = host
		if p != "" {
			port = p
		}
	}
	v.add("GATEWAY_INTERFACE", "CGI/1.1")
	v.add("SERVER_SOFTWARE", t.software)
	v.add("SERVER_PROTOCOL", r.Proto)
	v.add("SERVER_NAME", name)
	v.add("SERVER_PORT", port)
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		host, _, err := net.SplitHostPort(addr.String())
		if err != nil {
			host = addr.String()
		}
		if net.ParseIP(host) != nil {
			v.add("SERVER_ADDR", host)
		}
	}
	v.add("REQUEST_SCHEME", scheme)
	v.add("REQUEST_METHOD", r.Method)
	v.add("HTTP_HOST", r.Host)
	v.add("CONTENT_TYPE", r.Header.Get("Content-Type"))
}

func addClient(v *variables, r *http.Request, repl *caddy.Replacer) {
	ip, port := r.RemoteAddr, ""
	if i := strings.LastIndexByte(ip, ':'); i >= 0 {
		ip, port = ip[:i], ip[i+1:]
	}
	ip = strings.NewReplacer("[", "", "]", "").Replace(ip)
	user, _ := repl.GetString("http.auth.user.id")
	v.add("REMOTE_ADDR", ip)
	v.add("REMOTE_HOST", ip)
	v.add("REMOTE_PORT", port)
	v.add("REMOTE_USER", user)
	v.add("AUTH_TYPE", "")
	v.add("REMOTE_IDENT", "")
}

func addTLS(v *variables, state *tls.ConnectionState) {
	if state == nil {
		return
	}
	v.add("HTTPS", "on")
	v.add("SSL_CIPHER", tls.CipherSuiteName(state.CipherSuite))
	switch state.Version {
	case tls.VersionTLS10:
		v.add("SSL_PROTOCOL", "TLSv1")
	case tls.VersionTLS11:
		v.add("SSL_PROTOCOL", "TLSv1.1")
	case tls.VersionTLS12:
		v.add("SSL_PROTOCOL", "TLSv1.2")
	case tls.VersionTLS13:
		v.add("SSL_PROTOCOL", "TLSv1.3")
	}
}

// addPaths adds what says which script is asked, and for what.
func (t *Transport) addPaths(v *variables, r *http.Request, repl *caddy.Replacer) error {
	root, err := caddy.FastAbs(repl.ReplaceAll(t.Root, "."))
	if err == nil && t.ResolveRootSymlink {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	script, info, err := t.script(r)
	if err != nil {
		return caddyhttp.Error(http.StatusBadRequest, err)
	}
	name := script
	if name != "" && !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if info == "" {
		info, _ = repl.GetString("http.matchers.file.remainder")
	}
	original := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)

	v.add("DOCUMENT_ROOT", root)
	v.add("DOCUMENT_URI", script)
	v.add("SCRIPT_NAME", name)
	v.add("SCRIPT_FILENAME", caddyhttp.SanitizedPathJoin(root, script))
	v.add("PATH_INFO", info)
	if info != "" {
		v.add("PATH_TRANSLATED", caddyhttp.SanitizedPathJoin(root, info))
	}
	v.add("REQUEST_URI", original.URL.RequestURI())
	v.add("QUERY_STRING", r.URL.RawQuery)
	return nil
}

// script cuts the request's path into the script's and PATH_INFO. It is the path as
// Caddy's matchers see it, cleaned: what one of them forbids must not be had by
// another spelling. That goes for a path whose escapes hide a slash or dots as well,
// which some matchers see with, and some without.
func (t *Transport) script(r *http.Request) (script, info string, err error) {
	if strings.ContainsRune(r.URL.Path, 0) {
		return "", "", errors.New("the path has a NUL")
	}
	script, info = t.split(caddyhttp.NormalizedPath(r.URL.Path, true))
	if runtime.GOOS == "windows" && (strings.Contains(script, ":") || caddyhttp.HasWindowsShortName(script)) {
		return "", "", errors.New("the script's name is an alias on Windows")
	}
	backslash := runtime.GOOS == "windows" && strings.Contains(r.URL.Path, `\`)
	if r.URL.RawPath == "" && !backslash {
		return script, info, nil
	}
	escaped, err := url.PathUnescape(caddyhttp.NormalizedPath(r.URL.EscapedPath(), true))
	if err != nil {
		return "", "", err
	}
	if backslash {
		escaped = strings.ReplaceAll(escaped, `\`, "/")
	}
	if other, _ := t.split(escaped); other != script {
		return "", "", errors.New("the path names one script as it is escaped and another as it is not")
	}
	return script, info, nil
}

// split cuts a path behind the first ending in it. Without endings all of it is
// PATH_INFO; if it has none of them, it is a script's.
func (t *Transport) split(path string) (script, info string) {
	if len(t.SplitPath) == 0 {
		return "", path
	}
	lower := lowerASCII(path)
	for _, ending := range t.SplitPath {
		if ending == "" {
			continue
		}
		if i := strings.Index(lower, ending); i >= 0 {
			i += len(ending)
			return path[:i], path[i:]
		}
	}
	return path, ""
}

// lowerASCII lowers the letters of ASCII, and no others: what Unicode has as the
// small letter of something else must not make a script of a file.
func lowerASCII(s string) string {
	lower := []byte(s)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}
