package cgi

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An Outgoing is an HTTP request on its way to a FastCGI application: what its
// variables are made of. The fields that repeat something of the Request are
// those for which a gateway, whose request came from a client, and a transport,
// whose request was made here, have different sources.
type Outgoing struct {
	Request *http.Request
	Site    Site
	Target  Target // where Site finds the request's path

	Software string // SERVER_SOFTWARE
	Host     string // HTTP_HOST, and SERVER_NAME without its port
	URI      string // REQUEST_URI
	Remote   string // REMOTE_ADDR, with REMOTE_PORT if it is "address:port"
	HTTPS    bool   // HTTPS and REQUEST_SCHEME

	// Length is that of the body, in bytes; below one if there is none, or none
	// that is known.
	Length int64
	// Upgrade says that the request is for another protocol, and may get it.
	Upgrade bool
}

// RequestURI returns the target of a request that came from a client, as the
// client wrote it, but never with a host in front.
func RequestURI(r *http.Request) string {
	if !strings.HasPrefix(r.RequestURI, "/") { // "GET http://host/path", or a request made by hand
		return r.URL.RequestURI()
	}
	return r.RequestURI
}

// pairs collects variables.
type pairs []protocol.Pair

func (v *pairs) add(name, value string) {
	*v = append(*v, protocol.Pair{Name: name, Value: value})
}

// addSome adds a variable that has a value.
func (v *pairs) addSome(name, value string) {
	if value != "" {
		v.add(name, value)
	}
}

// Variables returns the meta-variables of the request (RFC 3875 §4.1), and those
// that web servers usually add.
func (o *Outgoing) Variables() []protocol.Pair {
	v := make(pairs, 0, 32+len(o.Request.Header))
	v.add("GATEWAY_INTERFACE", "CGI/1.1")
	o.addServer(&v)
	o.addRequest(&v)
	o.addPaths(&v)
	o.addPeer(&v)
	if o.HTTPS {
		v.add("HTTPS", "on")
	}
	addTLS(&v, o.Request.TLS)
	o.addHeader(&v)
	return v
}

func (o *Outgoing) addServer(v *pairs) {
	v.add("SERVER_SOFTWARE", o.Software)
	v.add("SERVER_PROTOCOL", cmp.Or(o.Request.Proto, "HTTP/1.1"))
	name, namedPort := splitHost(o.Host)
	addr, port := localAddr(o.Request)
	v.addSome("SERVER_ADDR", addr)
	switch {
	case port != "":
	case namedPort != "":
		port = namedPort
	case o.HTTPS:
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
// no IP address. A request that was made here, maybe for one that came in and
// with its context, came in on none.
func localAddr(r *http.Request) (addr, port string) {
	if r.RemoteAddr == "" {
		return "", ""
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return "", ""
	}
	return local.IP.String(), strconv.Itoa(local.Port)
}

func (o *Outgoing) addRequest(v *pairs) {
	r := o.Request
	v.add("REQUEST_METHOD", cmp.Or(r.Method, "GET"))
	scheme := "http"
	if o.HTTPS {
		scheme = "https"
	}
	v.add("REQUEST_SCHEME", scheme)
	v.add("REQUEST_URI", o.URI)
	v.add("QUERY_STRING", r.URL.RawQuery)
	if o.Length > 0 || o.Upgrade { // the end of STDIN would say 0, but comes late
		v.add("CONTENT_LENGTH", strconv.FormatInt(max(o.Length, 0), 10))
	}
	v.addSome("CONTENT_TYPE", r.Header.Get("Content-Type"))
	v.addSome("HTTP_HOST", o.Host)
}

func (o *Outgoing) addPaths(v *pairs) {
	t, root := o.Target, o.Site.Root
	v.add("SCRIPT_NAME", t.ScriptName)
	v.add("PATH_INFO", t.PathInfo)
	v.addSome("DOCUMENT_ROOT", root)
	if root != "" && t.PathInfo != "" {
		// Cleaned from the root on, so that ".." does not leave it.
		v.add("PATH_TRANSLATED", filepath.Join(root, filepath.FromSlash(path.Clean(t.PathInfo))))
	}
	if t.ScriptFilename != "" {
		v.add("SCRIPT_FILENAME", t.ScriptFilename)
		// PHP's cgi binary refuses to run without it.
		v.add("REDIRECT_STATUS", "200")
	}
}

func (o *Outgoing) addPeer(v *pairs) {
	addr, port, err := net.SplitHostPort(o.Remote)
	if err != nil { // not IP; the variable must be there all the same
		addr = o.Remote
	}
	v.add("REMOTE_ADDR", addr)
	v.addSome("REMOTE_PORT", port)
}

// addHeader adds the header fields. Of a repeated one the values are joined, as
// HTTP allows for those that may be repeated.
//
// Upgrade is left out where it cannot be: who sees it may take 101 for an answer.
func (o *Outgoing) addHeader(v *pairs) {
	h := o.Request.Header
	for _, field := range slices.Sorted(maps.Keys(h)) {
		name, ok := Variable(field)
		switch {
		case !ok || len(h[field]) == 0:
		case name == "CONTENT_LENGTH" || name == "CONTENT_TYPE" || name == "HTTP_HOST":
			// Said already, from what net/http made of them.
		case name == "HTTP_UPGRADE" && !o.Upgrade:
		case name == "HTTP_COOKIE":
			v.add(name, strings.Join(h[field], "; "))
		default:
			v.add(name, strings.Join(h[field], ", "))
		}
	}
}

// Replaced returns variables with more, without what more has, too. It may use
// the memory of the first.
func Replaced(variables, more []protocol.Pair) []protocol.Pair {
	if len(more) == 0 {
		return variables
	}
	names := make(map[string]bool, len(more))
	for _, p := range more {
		names[p.Name] = true
	}
	variables = slices.DeleteFunc(variables, func(p protocol.Pair) bool { return names[p.Name] })
	return append(variables, more...)
}
