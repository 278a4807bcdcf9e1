package fastcgi

import (
	"context"
	"net/http"
	"net/url"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// StripScriptName mounts a handler where the web server has put it: the handler
// sees its own paths, whatever is in front of them in the client's URLs. It goes
// around the handler of a whole application, right inside HTTP:
//
//	fastcgi.HTTP(fastcgi.StripScriptName(router))
//
// The path of the request's URL becomes PATH_INFO, or "/" if that is empty, which
// the web server has cut off behind SCRIPT_NAME (RFC 3875 §4.1.5). A script that
// requests are rewritten to, so that its name is in no URL, is mounted the same
// way. RequestURI stays as the client sent it.
//
// The way back is [BasePath], which links to the handler's own paths begin with.
// A Location that is a path gets it in front by itself, unless it begins with it:
// routers redirect to what they take for the whole path.
//
// The web server must split the path. nginx does so with fastcgi_split_path_info
// and a fastcgi_param PATH_INFO; by default it passes the whole path as
// SCRIPT_NAME, and all paths would be "/". With a prefix that is known,
// http.StripPrefix needs no such configuration.
//
// A request that is not served through HTTP, and one for "*", passes as it is.
func StripScriptName(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if call, ok := r.Context().Value(callKey{}).(*httpCall); ok && r.URL.Path != "*" {
			r = call.mounted(r)
		}
		h.ServeHTTP(w, r)
	})
}

// BasePath returns what StripScriptName has put a handler below, from the context
// of its http.Request: "/sub", escaped as in a URL and without a slash at the end.
// It is empty at the root, and where nothing was stripped.
func BasePath(ctx context.Context) string {
	if call, ok := ctx.Value(callKey{}).(*httpCall); ok {
		return call.response.basePath
	}
	return ""
}

// mounted returns r with the path that the handler is to see.
func (c *httpCall) mounted(r *http.Request) *http.Request {
	params := c.context.request.Params
	scriptName, pathInfo := params.Get("SCRIPT_NAME"), params.Get("PATH_INFO")
	c.response.basePath = cgi.BasePath(c.cgi.URL.Path, scriptName, pathInfo)
	m := new(http.Request)
	*m = *r
	m.URL = new(url.URL)
	*m.URL = *r.URL
	m.URL.Path, m.URL.RawPath = cgi.MountedPath(&c.cgi.URL, pathInfo)
	return m
}
