package fastcgi

import (
	"fmt"
	"net/http"
	"strconv"

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
	sslSessionResumed                       string

	proxied bool // a path has the prefix of Apache's mod_proxy
}

// newHTTPRequest makes the http.Request of a call.
func newHTTPRequest(call *httpCall) (*http.Request, error) {
	request := call.context.request
	var v metaVariables
	var room [headerBatch]headerField
	fields, err := v.collect(request.Params, room[:0])
	if err != nil {
		return nil, err
	}
	if v.proxied {
		request.Params = unproxied(request.Params, v.query)
	}
	// This is the one way to give a request its context. The copy is made where
	// all else of the call is, so that neither original is on the heap.
	r := &call.http
	*r = *new(http.Request).WithContext(&call.context)
	r.URL = &call.url
	r.Header = makeHeader(fields, &call.values)
	for _, fill := range []func(*http.Request) error{v.setMethod, v.setProtocol, v.setURL, v.setHost} {
		if err := fill(r); err != nil {
			return nil, err
		}
	}
	r.RemoteAddr = v.remote()
	if v.isTLS() {
		r.TLS = v.tlsState(request.Params)
	}
	if err := v.setBody(r, &call.body); err != nil {
		return nil, err
	}
	return r, nil
}

// collect reads the parameters, and adds those that carry header fields to
// fields.
func (v *metaVariables) collect(p Params, fields []headerField) ([]headerField, error) {
	for name, value := range p.All() {
		if name == "CONTENT_LENGTH" && value == "-1" {
			value = "" // Caddy 2.6 does not leave it out when a client does not say
		}
		if field := v.field(name); field != nil {
			*field = value
		}
		v.proxied = v.proxied || isProxied(name, value)
		header, ok := carriedHeader(name)
		switch {
		case !ok:
		case !cgi.ValidValue(value):
			return nil, fmt.Errorf("%s has a control character: %q", name, value)
		default:
			fields = append(fields, headerField{header, value})
		}
	}
	return fields, nil
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
	case "SSL_SESSION_RESUMED":
		return &v.sslSessionResumed
	}
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

// setBody sets the body and its length.
func (v *metaVariables) setBody(r *http.Request, body *httpBody) error {
	if v.contentLength == "" {
		body.setUnannounced(r)
		return nil
	}
	// 63 bits, and no sign.
	n, err := strconv.ParseUint(v.contentLength, 10, 63)
	if err != nil {
		return fmt.Errorf("CONTENT_LENGTH is %q", v.contentLength)
	}
	r.ContentLength, r.Body = int64(n), body
	if n == 0 {
		r.Body = http.NoBody
	}
	if n == 0 && !mayHaveBody(r.Method) {
		// lighttpd says so where the client has said nothing.
		delete(r.Header, "Content-Length")
	}
	return nil
}
