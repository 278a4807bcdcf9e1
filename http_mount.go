package fastcgi

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
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
	c.response.basePath = basePath(c.url.Path, scriptName, pathInfo)
	m := new(http.Request)
	*m = *r
	m.URL = new(url.URL)
	*m.URL = *r.URL
	m.URL.Path, m.URL.RawPath = rooted(pathInfo), rawPathInfo(&c.url, pathInfo)
	return m
}

// basePath returns what of a path is in front of PATH_INFO, encoded: there
// clients find the script. That is SCRIPT_NAME, unless requests are rewritten:
// "/u/a" to "/u/app.fcgi" with "/a". Where it would not come back the same way,
// because it has empty or dotted segments or does not end in PATH_INFO at all,
// SCRIPT_NAME has to do.
func basePath(whole, scriptName, pathInfo string) string {
	base, ok := strings.CutSuffix(whole, pathInfo)
	if !ok || pathInfo == "" || base != "" && path.Clean(base) != base {
		base = scriptName
	}
	return (&url.URL{Path: strings.TrimSuffix(rooted(base), "/")}).EscapedPath()
}

// rawPathInfo returns PATH_INFO as it is encoded in a URL, if that is another way
// than net/url has, as URL.RawPath is. It is empty for a PATH_INFO that is not the
// end of the URL's path, or is no path.
func rawPathInfo(u *url.URL, pathInfo string) string {
	base, ok := strings.CutSuffix(u.Path, pathInfo)
	if !ok || rooted(pathInfo) != pathInfo {
		return ""
	}
	raw := cutDecoded(u.EscapedPath(), len(base))
	if !strings.HasPrefix(raw, "/") || raw == (&url.URL{Path: pathInfo}).EscapedPath() {
		return ""
	}
	return raw
}

// cutDecoded returns an encoded path without what decodes to its first n bytes.
func cutDecoded(raw string, n int) string {
	for ; n > 0; n-- {
		if raw[0] == '%' {
			raw = raw[len("%2F"):]
		} else {
			raw = raw[1:]
		}
	}
	return raw
}

// rooted returns a path with one slash in front: with two it would be a URL with
// a host wherever it is written.
func rooted(p string) string { return "/" + strings.TrimLeft(p, "/") }

// below returns a Location with a base path in front, if it is a path that is not
// below it already.
func below(base, location string) string {
	if base == "" || rooted(location) != location {
		return location
	}
	if rest, ok := strings.CutPrefix(location, base); ok && (rest == "" || strings.IndexByte("/?#", rest[0]) >= 0) {
		return location
	}
	return base + location
}
