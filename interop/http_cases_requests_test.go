package interop_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
)

const (
	aliased  = "two such names could pass for one parameter, so web servers drop the field"
	noLength = "there is a CONTENT_LENGTH only if there is a body (RFC 3875 §4.1.2)"
)

const (
	lengthZero = "there is a CONTENT_LENGTH of 0 where there is no body, and net/http tells that from none"
	refused    = "lighttpd answers 400 to control characters and to what is not UTF-8"
	bodyOfGet  = "lighttpd answers 400 to a GET with a body"
	anyForm    = "Caddy calls what comes with any method but GET, HEAD and OPTIONS a form, if it has no type"
	withheld   = "HAProxy withholds Authorization unless its configuration has pass-header authorization"
)

// requestCases are about what handlers see of requests without a body.
var requestCases = []httpCase{
	{name: "GET", everywhere: true},
	{name: "POST without a body", method: "POST", differs: []difference{{"gateway", "notes", noLength}, {"caddy", "notes", anyForm}}},
	{name: "PUT without a body", method: "PUT", differs: []difference{{"gateway", "notes", noLength}, {"caddy", "notes", anyForm}}},
	{name: "PATCH", method: "PATCH", body: "abc", differs: []difference{{"caddy", "notes", anyForm}}},
	{name: "DELETE", everywhere: true, method: "DELETE", differs: []difference{{"caddy", "notes", anyForm}}},
	{name: "OPTIONS", method: "OPTIONS"},
	{name: "PROPFIND", method: "PROPFIND", header: http.Header{"Depth": {"1"}}, differs: []difference{
		{"lighttpd haproxy", "notes", lengthZero},
		{"caddy", "notes", anyForm},
	}},
	{name: "method of one's own", method: "FROBNICATE", differs: []difference{
		{"haproxy", "notes", lengthZero},
		{"caddy", "notes", anyForm},
		{"lighttpd", "response", "lighttpd answers 501 to methods that it does not know"},
		{"lighttpd", "notes", "as above"},
	}},

	{name: "query", everywhere: true, uri: "/?a=1&a=2&b=%20+&c=%26"},
	{name: "query of odd characters", uri: "/?a=[]{}|^`'&;=?/&%00", differs: []difference{
		{"lighttpd", "response", refused},
		{"lighttpd", "notes", refused},
	}},
	{name: "empty query", uri: "/?"},
	{name: "long query", uri: "/?" + strings.Repeat("a=0123456789&", 500)},
	{name: "path", everywhere: true, uri: "/a%2Fb/%C3%BC%20"},
	{name: "path of bytes", uri: "/%FF%FE", differs: []difference{
		{"lighttpd", "response", refused},
		{"lighttpd", "notes", refused},
	}},
	{name: "path with a line", uri: "/a%0Ab", differs: []difference{
		{"gateway", "response", "the gateway refuses control characters (CVE-2019-11043)"},
		{"gateway", "notes", "as above"},
		{"lighttpd", "response", refused},
		{"lighttpd", "notes", refused},
	}},
	{name: "path with two slashes", uri: "/a//b"},
	{name: "path that could be a host", uri: "//example.org/a"},
	{name: "path with dots", uri: "/a/../b/./c"},
	{name: "path with everything", uri: "/!$&'()*+,;=:@-._~/%25"},
	{name: "long path", uri: "/" + strings.Repeat("segment/", 500)},

	{name: "fields", header: http.Header{
		"Accept": {"*/*"}, "Cookie": {"a=b"}, "Referer": {"https://example.org/"}, "X-Forwarded-For": {"192.0.2.7"},
		"X-1-y": {"z"}, "If-None-Match": {`"a", W/"b"`}, "Authorization": {"Bearer x"}, "Te": {"trailers"},
	}, differs: []difference{
		{"caddy", "notes", "Caddy has X-Forwarded-For its own way, and Te is about its connection to the client"},
		{"haproxy", "notes", withheld + "; Te is about its connection to the client"},
	}},
	{name: "field", everywhere: true, header: http.Header{"X-Odd": {`a, "b"; ü`}}},
	{name: "field of odd characters", header: http.Header{"X-Odd": {`a, "b"; \ ü = € %0A` + " \t c"}}},
	{name: "field of 20 KB", header: http.Header{"X-Long": {strings.Repeat("0123456789", 2000)}}, differs: []difference{
		{"apache", "notes", "Apache leaves parameters of 16 KiB out, and says so in its log"},
	}},
	{name: "hundred fields", header: hundredFields()},
	{name: "cookies", everywhere: true, header: http.Header{"Cookie": {"a=1; b=2"}}},
	{name: "pragma", everywhere: true, header: http.Header{"Pragma": {"no-cache"}}},
	{name: "list in lines", header: http.Header{"Accept": {"a/b", "c/d"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		return []any{strings.Join(r.Header["Accept"], ", ")}
	}},
	{name: "cookies in lines", header: http.Header{"Cookie": {"a=1", "b=2"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		return []any{r.CookiesNamed("a"), r.CookiesNamed("b")}
	}, differs: []difference{
		{"apache caddy", "notes", "they join the lines with commas, as those of any field; clients send cookies in one line (RFC 6265 §5.4)"},
	}},
	{name: "field in lines", header: http.Header{"X-A": {"1", "2"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		return []any{r.Header.Get("X-A")}
	}, differs: []difference{
		{"", "notes", "web servers join lines, or send several parameters, of which the last one counts: it may be their own"},
	}},
	{name: "empty field", header: http.Header{"X-Empty": {""}}, differs: []difference{
		{"", "notes", "an empty variable is as good as none (RFC 3875 §4.1)"},
	}},
	{name: "field with an underscore", header: http.Header{"X_a": {"1"}}, differs: []difference{{"", "notes", aliased}}},
	{name: "field with a dot", header: http.Header{"X.a": {"1"}}, differs: []difference{{"", "notes", aliased}}},
	{name: "field Proxy", header: http.Header{"Proxy": {"http://evil.example/"}}, differs: []difference{
		{"", "notes", "HTTP_PROXY is no header field (CVE-2016-5386)"},
	}},
	{name: "all of a request", uri: "/a?b", header: http.Header{"Accept": {"*/*"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		text, err := httputil.DumpRequest(r, true)
		return []any{
			string(text), err, r.URL.Host, r.URL.Scheme, r.Host, r.Proto, r.ProtoMajor, r.ProtoMinor, r.TLS == nil, r.Form == nil,
			r.Body == http.NoBody, r.Context().Err(), r.Context().Value(http.ServerContextKey) != nil, r.Trailer, r.TransferEncoding,
		}
	}},
	{name: "basic auth", header: http.Header{"Authorization": {"Basic dTpw"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		user, password, ok := r.BasicAuth()
		return []any{user, password, ok}
	}, differs: []difference{{"haproxy", "notes", withheld}}},
}

func hundredFields() http.Header {
	h := http.Header{}
	for i := range 100 {
		h.Set(fmt.Sprintf("X-%d", i), fmt.Sprint(i))
	}
	return h
}

const (
	formType = "application/x-www-form-urlencoded"
	spooled  = "the web server collects the body, and then knows its length"
)

// bodyCases are about the bodies of requests.
var bodyCases = []httpCase{
	{name: "text", method: "PUT", body: "abc", header: http.Header{"Content-Type": {"text/plain"}}},
	{name: "JSON", everywhere: true, method: "POST", body: `{"a": 1}`, header: http.Header{"Content-Type": {"application/json"}}},
	{name: "body without a type", everywhere: true, method: "POST", body: "text", differs: []difference{
		{"caddy", "notes", anyForm},
	}},
	{name: "GET with a body", body: "text", differs: []difference{
		{"lighttpd", "response", bodyOfGet},
		{"lighttpd", "notes", bodyOfGet},
	}},
	{name: "GET with a body of unknown length", body: "text", length: unknown, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		// Not the length: it is 0 while nothing of the body has arrived, see fastcgi.HTTP.
		body, err := io.ReadAll(r.Body)
		return []any{string(body), err}
	}, differs: []difference{
		{"lighttpd", "response", bodyOfGet},
		{"lighttpd", "notes", bodyOfGet},
	}},
	{name: "type without a body", everywhere: true, method: "POST", header: http.Header{"Content-Type": {"text/plain"}}, differs: []difference{{"gateway", "notes", noLength}}},
	{name: "form seen", everywhere: true, method: "POST", uri: "/?a=1", body: "b=2&c=3&c=%20+", header: http.Header{"Content-Type": {formType}}},
	{name: "form", method: "POST", uri: "/?a=1", body: "b=2&c=3&c=%20+", header: http.Header{"Content-Type": {formType}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		return []any{r.FormValue("a"), r.PostFormValue("b"), r.Form}
	}},
	{name: "multipart form", method: "POST", body: multipartBody(10), header: multipartHeader, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		err := r.ParseMultipartForm(1 << 20)
		return []any{err, r.MultipartForm.Value, r.MultipartForm.File["file"][0].Filename}
	}},
	{name: "file of a form", everywhere: true, method: "POST", body: multipartBody(50_000), header: multipartHeader},
	{name: "file of a form on disk", method: "POST", body: multipartBody(200_000), header: multipartHeader, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		err := r.ParseMultipartForm(1000)
		if err != nil {
			return []any{err}
		}
		f, err := r.MultipartForm.File["file"][0].Open()
		if err != nil {
			return []any{err}
		}
		defer f.Close()
		n, err := io.Copy(io.Discard, f)
		return []any{n, err}
	}},
	{name: "multipart form, part by part", method: "POST", body: multipartBody(50_000), header: multipartHeader, handler: func(_ http.ResponseWriter, r *http.Request) (notes []any) {
		parts, err := r.MultipartReader()
		notes = append(notes, err)
		for err == nil {
			var part io.Reader
			if part, err = parts.NextPart(); err == nil {
				n, copyErr := io.Copy(io.Discard, part)
				notes = append(notes, n, copyErr)
			}
		}
		return append(notes, err)
	}},
	{name: "3 MB", method: "POST", body: strings.Repeat("0123456789abcdef", 3<<16), handler: digestBody},
	{name: "body of unknown length", method: "POST", body: "abc", length: unknown, handler: digestBody, differs: []difference{
		{"gateway nginx lighttpd haproxy", "notes", spooled},
	}, varies: []difference{
		{"apache", "notes", "Apache knows the length of what arrives together with the request's header"},
	}},
	{name: "3 MB of unknown length", method: "POST", body: strings.Repeat("0123456789abcdef", 3<<16), length: unknown, handler: digestBody, differs: []difference{
		{"gateway nginx lighttpd", "notes", spooled},
		{"haproxy", "response", "HAProxy answers 400 to what does not say its length and does not fit into its buffer"},
		{"haproxy", "notes", "as above"},
	}},
	{name: "body that the handler waits for", method: "POST", body: "abc", length: expecting, handler: digestBody, differs: []difference{
		{"alone", "informational", "it is for the web server to say"},
		{"lighttpd haproxy", "notes", "Expect is met by the web server, which takes it away"},
	}},
	{name: "body that the handler does not want", method: "POST", body: "abc", length: expecting, handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.WriteHeader(http.StatusExpectationFailed)
		return nil
	}, differs: []difference{
		{webServers, "informational", "the web server asks for the body before the handler can decline it"},
	}},
	{name: "body not read", method: "POST", body: strings.Repeat("a", 100_000), handler: respond(nil, "ignored")},
	{name: "body read in part", method: "POST", body: strings.Repeat("a", 100_000), handler: func(_ http.ResponseWriter, r *http.Request) []any {
		n, err := io.ReadFull(r.Body, make([]byte, 1000))
		return []any{n, err}
	}},
	{name: "body closed", method: "POST", body: "abc", handler: func(_ http.ResponseWriter, r *http.Request) []any {
		closed := r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		return []any{closed, err, errors.Is(err, http.ErrBodyReadAfterClose)}
	}},
	{name: "body read beyond its end", method: "POST", body: "abc", handler: func(_ http.ResponseWriter, r *http.Request) []any {
		body, err := io.ReadAll(r.Body)
		_, again := r.Body.Read(make([]byte, 1))
		return []any{string(body), err, again}
	}},
	{name: "no body read", handler: func(_ http.ResponseWriter, r *http.Request) []any {
		n, err := r.Body.Read(make([]byte, 1))
		return []any{n, err, r.Body.Close()}
	}},
	{name: "body too large", method: "POST", body: "abcdef", handler: func(w http.ResponseWriter, r *http.Request) []any {
		r.Body = http.MaxBytesReader(w, r.Body, 3)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
		var tooLarge *http.MaxBytesError
		return []any{string(body), err, errors.As(err, &tooLarge)}
	}},
	{name: "form too large", method: "POST", body: "a=" + strings.Repeat("b", 1000), header: http.Header{"Content-Type": {formType}}, handler: func(w http.ResponseWriter, r *http.Request) []any {
		r.Body = http.MaxBytesReader(w, r.Body, 100)
		return []any{r.ParseForm(), r.Form}
	}},
	{name: "full duplex", method: "POST", body: "abc", handler: func(w http.ResponseWriter, r *http.Request) []any {
		err := http.NewResponseController(w).EnableFullDuplex()
		io.WriteString(w, strings.Repeat("a", 5000))
		body, err2 := io.ReadAll(r.Body)
		return []any{err, string(body), err2}
	}},
	{name: "echo", method: "POST", body: strings.Repeat("0123456789", 10_000), handler: func(w http.ResponseWriter, r *http.Request) []any {
		body, err := io.ReadAll(r.Body)
		n, err2 := w.Write(body)
		return []any{err, n, err2}
	}},
	{name: "JSON decoded", method: "POST", body: `{"a": [1, 2]}`, header: http.Header{"Content-Type": {"application/json"}}, handler: func(w http.ResponseWriter, r *http.Request) []any {
		var v map[string][]int
		err := json.NewDecoder(r.Body).Decode(&v)
		return []any{err, json.NewEncoder(w).Encode(v)}
	}},
}

// digestBody notes how long the body was to be and was, and what it was.
func digestBody(_ http.ResponseWriter, r *http.Request) []any {
	hash := sha256.New()
	n, err := io.Copy(hash, r.Body)
	return []any{r.ContentLength, n, err, fmt.Sprintf("%x", hash.Sum(nil)), r.Header["Expect"], r.Header["Content-Length"]}
}

var multipartHeader = http.Header{"Content-Type": {"multipart/form-data; boundary=boundary"}}

// multipartBody is a form with a field, and a file of so many lines.
func multipartBody(lines int) string {
	var b bytes.Buffer
	b.WriteString("--boundary\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\njoe\r\n")
	b.WriteString("--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"name.txt\"\r\n\r\n")
	b.WriteString(strings.Repeat("line\n", lines) + "\r\n--boundary--\r\n")
	return b.String()
}

// A seen is what an http.Handler sees of a request.
type seen struct {
	Method, RequestURI, Path, RawPath, RawQuery, Host, Proto string

	Header        http.Header
	ContentLength int64
	Form          map[string][]string
	File          string // of a form
	Cookies       []string
	RemoteAddr    bool
	Body          string
}

// noteAll is the handler that notes all that it sees.
func noteAll(_ http.ResponseWriter, r *http.Request) []any {
	text, err := json.Marshal(see(r))
	return []any{string(text), err}
}

// look is the handler that answers with all that it sees.
func look(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(see(r)) }

func see(r *http.Request) seen {
	s := seen{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
		Host: r.Host, Proto: r.Proto,
		Header: maps.Clone(r.Header), ContentLength: r.ContentLength, RemoteAddr: strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"),
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, c.Name+"="+c.Value)
	}
	slices.Sort(s.Cookies)
	if f, _, err := r.FormFile("file"); err == nil {
		file, err := io.ReadAll(f)
		s.File = string(file)
		if err != nil {
			s.File = err.Error()
		}
	}
	s.Form = r.Form
	body, err := io.ReadAll(r.Body)
	s.Body = string(body)
	if err != nil {
		s.Body = err.Error()
	}
	return s
}
