//go:build linux

package harness

import "strconv"

// Params are twenty parameters of a request, as nginx sends them with its
// fastcgi.conf: to a script, with a query, and with a body of so many bytes; 0 is
// none.
func Params(script, query string, body int64) [][2]string {
	method, length, kind := "GET", "", ""
	if body > 0 {
		method, length, kind = "POST", strconv.FormatInt(body, 10), "application/octet-stream"
	}
	return [][2]string{
		{"SCRIPT_FILENAME", script},
		{"QUERY_STRING", query},
		{"REQUEST_METHOD", method},
		{"CONTENT_TYPE", kind},
		{"CONTENT_LENGTH", length},
		{"SCRIPT_NAME", "/hello"},
		{"REQUEST_URI", RequestURI(query)},
		{"DOCUMENT_ROOT", "/usr/share/nginx/html"},
		{"SERVER_PROTOCOL", "HTTP/1.1"},
		{"REQUEST_SCHEME", "http"},
		{"GATEWAY_INTERFACE", "CGI/1.1"},
		{"SERVER_SOFTWARE", "nginx/1.22.1"},
		{"REMOTE_ADDR", "127.0.0.1"},
		{"REMOTE_PORT", "54321"},
		{"SERVER_ADDR", "127.0.0.1"},
		{"SERVER_PORT", "80"},
		{"SERVER_NAME", "localhost"},
		{"HTTP_HOST", "localhost"},
		{"HTTP_USER_AGENT", UserAgent},
		{"HTTP_ACCEPT", Accept},
	}
}

// What a browser says.
const (
	UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	Accept    = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
)

// RequestURI is that of a request with a query.
func RequestURI(query string) string {
	if query == "" {
		return "/hello"
	}
	return "/hello?" + query
}
