package gateway

import (
	"maps"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// variables collects parameters.
type variables []client.Pair

func (v *variables) add(name, value string) {
	*v = append(*v, client.Pair{Name: name, Value: value})
}

// addSome adds a variable that has a value.
func (v *variables) addSome(name, value string) {
	if value != "" {
		v.add(name, value)
	}
}

// params returns the meta-variables of the request (RFC 3875 §4.1), and those
// that web servers usually add. length is that of the body, below one if there
// is none, or none that is known.
func (x *exchange) params(t target, length int64) []client.Pair {
	v := make(variables, 0, 32+len(x.r.Header))
	v.add("GATEWAY_INTERFACE", "CGI/1.1")
	x.addServer(&v)
	x.addRequest(&v, length)
	x.addPaths(&v, t)
	x.addPeer(&v)
	addTLS(&v, x.r.TLS)
	x.addHeader(&v)
	if x.handler.Params != nil {
		v = replaced(v, x.handler.Params(x.r))
	}
	return replaced(v, x.granted)
}

func (x *exchange) addServer(v *variables) {
	software := x.handler.ServerSoftware
	if software == "" {
		software = DefaultServerSoftware
	}
	v.add("SERVER_SOFTWARE", software)
	v.add("SERVER_PROTOCOL", x.r.Proto)
	name, namedPort := splitHost(x.r.Host)
	addr, port := localAddr(x.r)
	v.addSome("SERVER_ADDR", addr)
	switch {
	case port != "":
	case namedPort != "":
		port = namedPort
	case x.r.TLS != nil:
		port = "443"
	default:
		port = "80"
	}
	if name == "" { // HTTP/1.0
		name = addr
	}
	v.add("SERVER_NAME", name)
	v.add("SERVER_PORT", port)
}

// splitHost cuts "name:port", "[::1]:port" or either without a port. Brackets
// stay (RFC 3875 §4.1.14).
func splitHost(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || i < strings.LastIndexByte(host, ']') {
		return host, ""
	}
	return host[:i], host[i+1:]
}

// localAddr returns the address that the request came in on, empty where that is
// no IP address.
func localAddr(r *http.Request) (addr, port string) {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return "", ""
	}
	return local.IP.String(), strconv.Itoa(local.Port)
}

func (x *exchange) addRequest(v *variables, length int64) {
	r := x.r
	v.add("REQUEST_METHOD", r.Method)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	v.add("REQUEST_SCHEME", scheme)
	uri := r.RequestURI
	if !strings.HasPrefix(uri, "/") { // "GET http://host/path", or a request made by hand
		uri = r.URL.RequestURI()
	}
	v.add("REQUEST_URI", uri)
	v.add("QUERY_STRING", r.URL.RawQuery)
	if length > 0 || x.upgrade { // the end of STDIN would say 0, but comes late
		v.add("CONTENT_LENGTH", strconv.FormatInt(length, 10))
	}
	v.addSome("CONTENT_TYPE", r.Header.Get("Content-Type"))
	v.addSome("HTTP_HOST", r.Host)
}

func (x *exchange) addPaths(v *variables, t target) {
	root := x.handler.Root
	v.add("SCRIPT_NAME", t.scriptName)
	v.add("PATH_INFO", t.pathInfo)
	v.addSome("DOCUMENT_ROOT", root)
	if root != "" && t.pathInfo != "" {
		// Cleaned from the root on, so that ".." does not leave it.
		v.add("PATH_TRANSLATED", filepath.Join(root, filepath.FromSlash(path.Clean(t.pathInfo))))
	}
	if t.scriptFilename != "" {
		v.add("SCRIPT_FILENAME", t.scriptFilename)
		// PHP's cgi binary refuses to run without it.
		v.add("REDIRECT_STATUS", "200")
	}
}

func (x *exchange) addPeer(v *variables) {
	addr, port, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil { // not IP; the variable must be there all the same
		addr = x.r.RemoteAddr
	}
	v.add("REMOTE_ADDR", addr)
	v.addSome("REMOTE_PORT", port)
}

// addHeader adds the header fields. Of a repeated one the values are joined, as
// HTTP allows for those that may be repeated.
//
// Upgrade is left out where it cannot be: who sees it may take 101 for an answer.
func (x *exchange) addHeader(v *variables) {
	h := x.r.Header
	for _, field := range slices.Sorted(maps.Keys(h)) {
		name, ok := cgi.Variable(field)
		switch {
		case !ok || len(h[field]) == 0:
		case name == "CONTENT_LENGTH" || name == "CONTENT_TYPE" || name == "HTTP_HOST":
			// Said already, from what net/http made of them.
		case name == "HTTP_UPGRADE" && !x.upgrade:
		case name == "HTTP_COOKIE":
			v.add(name, strings.Join(h[field], "; "))
		default:
			v.add(name, strings.Join(h[field], ", "))
		}
	}
}

// replaced returns v with more, without what more has, too.
func replaced(v variables, more []client.Pair) variables {
	if len(more) == 0 {
		return v
	}
	names := make(map[string]bool, len(more))
	for _, p := range more {
		names[p.Name] = true
	}
	v = slices.DeleteFunc(v, func(p client.Pair) bool { return names[p.Name] })
	return append(v, more...)
}
