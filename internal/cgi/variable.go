package cgi

import "strings"

// headerVariables are the header fields that requests usually carry, in
// canonical form, with their variables. They are translated without an
// allocation; all others are spelled out.
//
// Content-Type and Content-Length are the two fields with variables of their
// own (RFC 3875 §4.1.2, §4.1.3).
var headerVariables = map[string]string{
	"Content-Length": "CONTENT_LENGTH",
	"Content-Type":   "CONTENT_TYPE",

	"Accept":                         "HTTP_ACCEPT",
	"Accept-Charset":                 "HTTP_ACCEPT_CHARSET",
	"Accept-Encoding":                "HTTP_ACCEPT_ENCODING",
	"Accept-Language":                "HTTP_ACCEPT_LANGUAGE",
	"Access-Control-Request-Headers": "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
	"Access-Control-Request-Method":  "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
	"Authorization":                  "HTTP_AUTHORIZATION",
	"Cache-Control":                  "HTTP_CACHE_CONTROL",
	"Connection":                     "HTTP_CONNECTION",
	"Content-Encoding":               "HTTP_CONTENT_ENCODING",
	"Cookie":                         "HTTP_COOKIE",
	"Dnt":                            "HTTP_DNT",
	"Expect":                         "HTTP_EXPECT",
	"Forwarded":                      "HTTP_FORWARDED",
	"From":                           "HTTP_FROM",
	"Host":                           "HTTP_HOST",
	"Idempotency-Key":                "HTTP_IDEMPOTENCY_KEY",
	"If-Match":                       "HTTP_IF_MATCH",
	"If-Modified-Since":              "HTTP_IF_MODIFIED_SINCE",
	"If-None-Match":                  "HTTP_IF_NONE_MATCH",
	"If-Range":                       "HTTP_IF_RANGE",
	"If-Unmodified-Since":            "HTTP_IF_UNMODIFIED_SINCE",
	"Keep-Alive":                     "HTTP_KEEP_ALIVE",
	"Last-Event-Id":                  "HTTP_LAST_EVENT_ID",
	"Origin":                         "HTTP_ORIGIN",
	"Pragma":                         "HTTP_PRAGMA",
	"Priority":                       "HTTP_PRIORITY",
	"Range":                          "HTTP_RANGE",
	"Referer":                        "HTTP_REFERER",
	"Sec-Ch-Ua":                      "HTTP_SEC_CH_UA",
	"Sec-Ch-Ua-Mobile":               "HTTP_SEC_CH_UA_MOBILE",
	"Sec-Ch-Ua-Platform":             "HTTP_SEC_CH_UA_PLATFORM",
	"Sec-Fetch-Dest":                 "HTTP_SEC_FETCH_DEST",
	"Sec-Fetch-Mode":                 "HTTP_SEC_FETCH_MODE",
	"Sec-Fetch-Site":                 "HTTP_SEC_FETCH_SITE",
	"Sec-Fetch-User":                 "HTTP_SEC_FETCH_USER",
	"Sec-Gpc":                        "HTTP_SEC_GPC",
	"Sec-Websocket-Extensions":       "HTTP_SEC_WEBSOCKET_EXTENSIONS",
	"Sec-Websocket-Key":              "HTTP_SEC_WEBSOCKET_KEY",
	"Sec-Websocket-Protocol":         "HTTP_SEC_WEBSOCKET_PROTOCOL",
	"Sec-Websocket-Version":          "HTTP_SEC_WEBSOCKET_VERSION",
	"Te":                             "HTTP_TE",
	"Traceparent":                    "HTTP_TRACEPARENT",
	"Tracestate":                     "HTTP_TRACESTATE",
	"Upgrade":                        "HTTP_UPGRADE",
	"Upgrade-Insecure-Requests":      "HTTP_UPGRADE_INSECURE_REQUESTS",
	"User-Agent":                     "HTTP_USER_AGENT",
	"Via":                            "HTTP_VIA",
	"X-Csrf-Token":                   "HTTP_X_CSRF_TOKEN",
	"X-Forwarded-For":                "HTTP_X_FORWARDED_FOR",
	"X-Forwarded-Host":               "HTTP_X_FORWARDED_HOST",
	"X-Forwarded-Port":               "HTTP_X_FORWARDED_PORT",
	"X-Forwarded-Proto":              "HTTP_X_FORWARDED_PROTO",
	"X-Real-Ip":                      "HTTP_X_REAL_IP",
	"X-Request-Id":                   "HTTP_X_REQUEST_ID",
	"X-Requested-With":               "HTTP_X_REQUESTED_WITH",
}

// variableHeaders is headerVariables read the other way.
var variableHeaders = inverted(headerVariables)

func inverted(m map[string]string) map[string]string {
	inv := make(map[string]string, len(m))
	for k, v := range m {
		inv[v] = k
	}
	return inv
}

const prefix = "HTTP_"

// Variable returns the variable that carries a header field: CONTENT_TYPE,
// CONTENT_LENGTH, or HTTP_ and the name in capitals with "_" for "-". ok is
// false for a field that must not cross:
//
//   - A name with anything but letters, digits and "-". Both X-User and X_User
//     would become HTTP_X_USER, and what a client sends as the one would pass
//     for what the web server vouches for with the other.
//   - Proxy. HTTP_PROXY is how many programs are told their proxy (httpoxy,
//     CVE-2016-5386).
func Variable(header string) (name string, ok bool) {
	if v, ok := headerVariables[header]; ok {
		return v, true
	}
	if !translatable(header) {
		return "", false
	}
	v := prefix + strings.Map(capital, header)
	switch v {
	case "HTTP_PROXY":
		return "", false
	case "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH":
		return v[len(prefix):], true
	}
	return v, true
}

// translatable reports whether a header name has a variable of its own.
func translatable(header string) bool {
	for i := range len(header) {
		if c := header[i]; !isAlphanumeric(c) && c != '-' {
			return false
		}
	}
	return header != ""
}

func capital(c rune) rune {
	switch {
	case c == '-':
		return '_'
	case 'a' <= c && c <= 'z':
		return c - ('a' - 'A')
	}
	return c
}

// Header returns the header field that a variable carries, in the canonical
// form of net/http. ok is false for a variable that carries none, and for
//
//   - HTTP_CONTENT_TYPE and HTTP_CONTENT_LENGTH, which some web servers add:
//     they repeat what CONTENT_TYPE and CONTENT_LENGTH say,
//   - HTTP_PROXY (see [Variable]),
//   - a name with anything but capitals, digits and "_" after HTTP_: two such
//     names could mean one header field.
func Header(variable string) (name string, ok bool) {
	if h, ok := variableHeaders[variable]; ok {
		return h, true
	}
	tail, found := strings.CutPrefix(variable, prefix)
	if !found || !speaksOfHeader(tail) {
		return "", false
	}
	return headerName(tail), true
}

func speaksOfHeader(tail string) bool {
	switch tail {
	case "", "PROXY", "CONTENT_TYPE", "CONTENT_LENGTH":
		return false
	}
	for i := range len(tail) {
		if c := tail[i]; !isAlphanumeric(c) && c != '_' || 'a' <= c && c <= 'z' {
			return false
		}
	}
	return true
}

// headerName spells FOO_BAR as Foo-Bar.
func headerName(tail string) string {
	b := []byte(tail)
	start := true
	for i, c := range b {
		switch {
		case c == '_':
			b[i] = '-'
		case !start && 'A' <= c && c <= 'Z':
			b[i] = c + ('a' - 'A')
		}
		start = c == '_'
	}
	return string(b)
}
