package fcgi

import (
	"net/http"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
)

// ProcessEnv returns the parameters of a request that have no place in an
// http.Request: REMOTE_USER, for instance, and what the web server is configured
// to add. Those that became a header or a field of r are left out. It is nil if r
// was not served by this package.
//
// The map is the caller's; it is made for each call. All parameters, in order, are
// in the Params of fastcgi.FromContext(r.Context()).
func ProcessEnv(r *http.Request) map[string]string {
	request := fastcgi.FromContext(r.Context())
	if request == nil {
		return nil
	}
	env := make(map[string]string)
	for name, value := range request.Params.All() {
		if !hasPlace(name) {
			env[name] = value
		}
	}
	return env
}

// hasPlace reports whether a parameter has a place in an http.Request, in the
// eyes of net/http/fcgi. That the name and the port of the server, and the client's
// certificate, have one here as well does not take them from programs that look
// for them in the map.
func hasPlace(name string) bool {
	switch name {
	case "REQUEST_METHOD", "REQUEST_URI", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING",
		"SERVER_PROTOCOL", "HTTPS",
		"REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT",
		"CONTENT_LENGTH", "CONTENT_TYPE":
		return true
	}
	return strings.HasPrefix(name, "HTTP_")
}
