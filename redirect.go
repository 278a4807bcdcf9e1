package fastcgi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// SendRedirect writes a redirect (RFC 3875 §6.2.3 and §6.2.4). A target that is
// an absolute URL is for the client to go to, with status 302; one that is a path
// starting with a single slash is for the web server to answer itself, where the
// server does that. (Many pass it on to the client instead.)
//
// A target that browsers could read otherwise than it looks is refused: where a path
// would lead to another host, such as "//host/" or "/\host/", where a URL has a
// scheme but no host, such as "https:host", and what has a backslash, a space or a
// control character anywhere. So are javascript:, data: and vbscript:.
//
// It is a response as SendResponse writes it: the first output of its request, or
// ErrResponded.
func SendRedirect(w ResponseWriter, target string) error {
	return noteRefusal(w, sendRedirect(w, target))
}

func sendRedirect(w ResponseWriter, target string) error {
	if err := checkTarget(target); err != nil {
		return fmt.Errorf("fastcgi: redirect target %q %w", target, err)
	}
	head := append(append(append(pool.Get(headSize), "Location: "...), target...), "\r\n"...)
	if target[0] != '/' {
		head = cgi.AppendStatus(head, 302) // behind Location, as in appendHead
	}
	return respond(w, append(head, "\r\n"...), body{})
}

// checkTarget returns why nobody should be sent to a target. It judges as a
// browser reads it, by the WHATWG's URL standard.
func checkTarget(target string) error {
	switch {
	case !cgi.ValidValue(target) || strings.ContainsAny(target, " \t\\"):
		return errors.New("has characters that a URL cannot have")
	case strings.HasPrefix(target, "//"):
		return errors.New("has a host but no scheme")
	case strings.HasPrefix(target, "/"):
		return nil
	}
	scheme, rest, ok := splitScheme(target)
	switch {
	case !ok:
		return errors.New("is neither an absolute URL nor an absolute path")
	case isActive(scheme):
		return errors.New("is content, and no place to go to")
	case namesHost(scheme) && !startsWithHost(rest):
		return errors.New("has a scheme but no host")
	}
	return nil
}

// splitScheme cuts an absolute URL behind its scheme (RFC 3986 §3.1), which it returns
// in lower case.
func splitScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" {
		return "", "", false
	}
	for i, c := range []byte(scheme) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return "", "", false
		}
	}
	return strings.ToLower(scheme), rest, true
}

// isActive reports whether a URL with this scheme is a script or a document of
// whoever wrote it.
func isActive(scheme string) bool {
	return scheme == "javascript" || scheme == "data" || scheme == "vbscript"
}

// namesHost reports whether browsers look for a host behind this scheme, with
// however many slashes before it, and take a URL without any for a relative one.
func namesHost(scheme string) bool {
	switch scheme {
	case "http", "https", "ws", "wss", "ftp":
		return true
	}
	return false
}

// startsWithHost reports whether the rest of a URL is two slashes and a host.
func startsWithHost(rest string) bool {
	host, ok := strings.CutPrefix(rest, "//")
	return ok && host != "" && !strings.ContainsRune("/?#", rune(host[0]))
}
