package cgi

import (
	"fmt"
	"net/http"
	"strings"
)

// setHost sets Host: what the client asked for, or else the name of the web
// server.
func (v *requestVariables) setHost(r *http.Request) error {
	switch {
	case v.host == "":
		r.Host = v.serverHost()
	case !validHost(v.host):
		return fmt.Errorf("HTTP_HOST is %q", v.host)
	default:
		r.Host = v.host
	}
	return nil
}

// serverHost returns the name of the web server, with its port unless the
// scheme implies that. It is empty where the name is none, such as "_", which
// nginx shows for a server of all names, or a pattern.
func (v *requestVariables) serverHost() string {
	name := v.serverName
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
		name = "[" + name + "]"
	}
	if name == "" || name == "_" || !validHost(name) {
		return ""
	}
	implied := "80"
	if v.isTLS() {
		implied = "443"
	}
	if v.serverPort == "" || v.serverPort == implied || !validHost(v.serverPort) {
		return name
	}
	return name + ":" + v.serverPort
}

// validHost reports whether s may be a host with a port, going by its
// characters: those of RFC 3986 §3.2 without "@".
func validHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-.:_[]~!$%&'()*+,;=", c) >= 0:
		default:
			return false
		}
	}
	return true
}
