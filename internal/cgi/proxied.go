package cgi

import (
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Apache's mod_proxy_fcgi passes on what mod_proxy made of the name of a file,
// "proxy:fcgi://127.0.0.1:9000/srv/app.fcgi?query", unless it is told that the
// application is no PHP-FPM (ProxyFCGIBackendType GENERIC).
const (
	proxyFCGI     = "proxy:fcgi://"
	proxyBalancer = "proxy:balancer://"
)

// isProxied reports whether a parameter is the name of a file with mod_proxy's
// prefix.
func isProxied(name, value string) bool {
	switch name {
	case "SCRIPT_FILENAME", "PATH_TRANSLATED":
		return strings.HasPrefix(value, proxyFCGI) || strings.HasPrefix(value, proxyBalancer)
	}
	return false
}

// unproxied returns variables with the names of files as they are.
func unproxied(variables protocol.Pairs, query string) protocol.Pairs {
	var pairs []protocol.Pair
	for name, value := range variables.All() {
		if isProxied(name, value) {
			value = cutProxy(value, query)
		}
		pairs = append(pairs, protocol.Pair{Name: name, Value: value})
	}
	return protocol.NewPairs(pairs...)
}

// cutProxy returns the path in the name of a proxied file.
func cutProxy(value, query string) string {
	_, rest, _ := strings.Cut(value, "://")
	at := strings.IndexByte(rest, '/')
	if at < 0 {
		return ""
	}
	return strings.TrimSuffix(rest[at:], "?"+query)
}
