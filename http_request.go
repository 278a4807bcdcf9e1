package fastcgi

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// metaVariables are the parameters that an http.Request is made of: the
// meta-variables of RFC 3875 §4.1, and those that web servers add by custom.
type metaVariables struct {
	method, protocol                        string
	requestURI, scriptName, pathInfo, query string
	host, serverName, serverPort            string
	remoteAddr, remotePort                  string
	contentLength                           string
	https, scheme                           string
	sslProtocol, sslCipher, sslServerName   string
	sslClientCert, sslClientVerify          string

	header http.Header
	values []string // room for the values of header, one each
}

// newHTTPRequest makes the http.Request of a call.
func newHTTPRequest(call *httpCall) (*http.Request, error) {
	request := call.context.request
	v := metaVariables{header: make(http.Header), values: call.values[:]}
	if err := v.collect(request.Params); err != nil {
		return nil, err
	}
	// This is the one way to give a request its context; the first of the
	// two does not live on the heap.
	r := new(http.Request).WithContext(&call.context)
	r.Header = v.header
	for _, fill := range []func(*http.Request) error{v.setMethod, v.setProtocol, v.setURL, v.setHost} {
		if err := fill(r); err != nil {
			return nil, err
		}
	}
	r.RemoteAddr = v.remote()
	if v.isTLS() {
		r.TLS = v.tlsState()
	}
	if err := v.setBody(r, call); err != nil {
		return nil, err
	}
	return r, nil
}

// collect reads the parameters.
func (v *metaVariables) collect(p Params) error {
	for name, value := range p.All() {
		if field := v.field(name); field != nil {
			*field = value
		}
		if !carriesHeader(name) {
			continue
		}
		if err := v.addHeader(name, value); err != nil {
			return err
		}
	}
	// As net/http has it: RFC 9111 §5.4 lets Pragma stand for the other.
	if pragma := v.header["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" && v.header["Cache-Control"] == nil {
		v.header["Cache-Control"] = []string{"no-cache"}
	}
	return nil
}

// field returns where the value of a meta-variable goes, or nil.
func (v *metaVariables) field(name string) *string {
	switch name {
	case "REQUEST_METHOD":
		return &v.method
	case "SERVER_PROTOCOL":
		return &v.protocol
	case "REQUEST_URI":
		return &v.requestURI
	case "SCRIPT_NAME":
		return &v.scriptName
	case "PATH_INFO":
		return &v.pathInfo
	case "QUERY_STRING":
		return &v.query
	case "HTTP_HOST":
		return &v.host
	case "SERVER_NAME":
		return &v.serverName
	case "SERVER_PORT":
		return &v.serverPort
	case "REMOTE_ADDR":
		return &v.remoteAddr
	case "REMOTE_PORT":
		return &v.remotePort
	case "CONTENT_LENGTH":
		return &v.contentLength
	case "HTTPS":
		return &v.https
	case "REQUEST_SCHEME":
		return &v.scheme
	case "SSL_PROTOCOL":
		return &v.sslProtocol
	case "SSL_CIPHER":
		return &v.sslCipher
	case "SSL_TLS_SNI":
		return &v.sslServerName
	case "SSL_CLIENT_CERT":
		return &v.sslClientCert
	case "SSL_CLIENT_VERIFY":
		return &v.sslClientVerify
	}
	return nil
}

// carriesHeader reports whether a variable may carry a header field. The field
// Host is no part of an http.Request's header.
func carriesHeader(variable string) bool {
	switch variable {
	case "CONTENT_TYPE", "CONTENT_LENGTH":
		return true
	case "HTTP_HOST":
		return false
	}
	return strings.HasPrefix(variable, "HTTP_")
}

// headerBatch is how many header values there is room for at once.
const headerBatch = 16

// addHeader adds the header field that a variable carries. An empty variable is
// the same as none (RFC 3875 §4.1), so it takes the field away.
func (v *metaVariables) addHeader(variable, value string) error {
	name, ok := cgi.Header(variable)
	switch {
	case !ok, name == "Transfer-Encoding":
		// What the web server hands on is decoded.
		return nil
	case value == "":
		delete(v.header, name)
		return nil
	case !cgi.ValidValue(value):
		return fmt.Errorf("%s has a control character: %q", variable, value)
	}
	if len(v.values) == 0 {
		v.values = make([]string, headerBatch)
	}
	v.values[0] = value
	v.header[name], v.values = v.values[:1:1], v.values[1:]
	return nil
}

func (v *metaVariables) setMethod(r *http.Request) error {
	if !cgi.ValidName(v.method) {
		return fmt.Errorf("REQUEST_METHOD is %q", v.method)
	}
	r.Method = v.method
	return nil
}

// setProtocol takes the version. "INCLUDED" (RFC 3875 §4.1.16) is a request by a
// server-side include, and counts as HTTP/1.0, as it does in net/http/cgi, and
// so does a web server that does not tell.
func (v *metaVariables) setProtocol(r *http.Request) (err error) {
	var ok bool
	switch r.Proto = v.protocol; v.protocol {
	case "INCLUDED":
		r.ProtoMajor, ok = 1, true
	case "":
		r.Proto, r.ProtoMajor, ok = "HTTP/1.0", 1, true
	case "HTTP/2", "HTTP/3":
		r.ProtoMajor, ok = int(v.protocol[5]-'0'), true
	default:
		r.ProtoMajor, r.ProtoMinor, ok = http.ParseHTTPVersion(v.protocol)
	}
	if !ok {
		return fmt.Errorf("SERVER_PROTOCOL is %q", v.protocol)
	}
	return nil
}

// remote returns the client's address. A client that connected to the web
// server over a Unix socket has none, and appears as in net/http.
func (v *metaVariables) remote() string {
	addr := strings.TrimSuffix(strings.TrimPrefix(v.remoteAddr, "["), "]")
	if addr == "" || addr == "unix:" {
		return "@"
	}
	port := v.remotePort
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		port = "0"
	}
	return net.JoinHostPort(addr, port)
}

// setBody sets the body and its length.
func (v *metaVariables) setBody(r *http.Request, call *httpCall) error {
	r.Body = &call.body
	if v.contentLength == "" {
		r.ContentLength = call.body.request.arrived()
	} else {
		// 63 bits, and no sign.
		n, err := strconv.ParseUint(v.contentLength, 10, 63)
		if err != nil {
			return fmt.Errorf("CONTENT_LENGTH is %q", v.contentLength)
		}
		r.ContentLength = int64(n)
	}
	if r.ContentLength == 0 {
		r.Body = http.NoBody
	}
	return nil
}
