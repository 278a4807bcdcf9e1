package cgi

import (
	"iter"
	"net/http"
	"slices"
	"strings"
)

// AsksUpgrade reports whether a request asks for another protocol on its
// connection that an application may be asked for. HTTP/2 has no such thing.
// Cleartext HTTP/2 is never passed on: its requests would go round everything that
// stands in front of the application.
func AsksUpgrade(r *http.Request) bool {
	if r.ProtoMajor != 1 || r.ProtoMinor != 1 || len(r.Header["Upgrade"]) == 0 {
		return false
	}
	protocols := slices.Collect(tokens(r.Header["Upgrade"]))
	return slices.Contains(slices.Collect(tokens(r.Header["Connection"])), "upgrade") &&
		len(protocols) > 0 && !slices.Contains(protocols, "h2c")
}

// tokens yields the elements of a comma-separated field, in lower case.
func tokens(values []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, list := range values {
			for token := range strings.SplitSeq(list, ",") {
				if token = strings.TrimSpace(token); token != "" && !yield(strings.ToLower(token)) {
					return
				}
			}
		}
	}
}
