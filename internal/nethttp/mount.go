package nethttp

import (
	"context"
	"net/http"
	"net/url"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// StripScriptName mounts h where the web server has put it, as package fastcgi
// describes.
func StripScriptName(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if call, ok := r.Context().Value(callKey{}).(*call); ok && r.URL.Path != "*" {
			r = call.mounted(r)
		}
		h.ServeHTTP(w, r)
	})
}

// BasePath returns what StripScriptName has put a handler below.
func BasePath(ctx context.Context) string {
	if call, ok := ctx.Value(callKey{}).(*call); ok {
		return call.response.basePath
	}
	return ""
}

// mounted returns r with the path that the handler is to see.
func (c *call) mounted(r *http.Request) *http.Request {
	params := c.in.Params
	scriptName, pathInfo := params.Get("SCRIPT_NAME"), params.Get("PATH_INFO")
	c.response.basePath = cgi.BasePath(c.cgi.URL.Path, scriptName, pathInfo)
	m := new(http.Request)
	*m = *r
	m.URL = new(url.URL)
	*m.URL = *r.URL
	m.URL.Path, m.URL.RawPath = cgi.MountedPath(&c.cgi.URL, pathInfo)
	return m
}
