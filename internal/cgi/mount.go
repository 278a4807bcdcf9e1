package cgi

import (
	"net/url"
	"path"
	"strings"
)

// BasePath returns what of a path, decoded, is in front of PATH_INFO, encoded: there
// clients find the script. That is SCRIPT_NAME, unless requests are rewritten:
// "/u/a" to "/u/app.fcgi" with "/a". Where it would not come back the same way,
// because it has empty or dotted segments or does not end in PATH_INFO at all,
// SCRIPT_NAME has to do.
func BasePath(whole, scriptName, pathInfo string) string {
	base, ok := strings.CutSuffix(whole, pathInfo)
	if !ok || pathInfo == "" || base != "" && path.Clean(base) != base {
		base = scriptName
	}
	return (&url.URL{Path: strings.TrimSuffix(rooted(base), "/")}).EscapedPath()
}

// MountedPath returns the path below the base path, as the fields Path and RawPath
// of a URL have it: PATH_INFO, in the way that u encodes it.
func MountedPath(u *url.URL, pathInfo string) (path, rawPath string) {
	return rooted(pathInfo), rawPathInfo(u, pathInfo)
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

// Below returns a Location with a base path in front, if it is a path that is not
// below it already.
func Below(base, location string) string {
	if base == "" || rooted(location) != location {
		return location
	}
	if rest, ok := strings.CutPrefix(location, base); ok && (rest == "" || strings.IndexByte("/?#", rest[0]) >= 0) {
		return location
	}
	return base + location
}
