package fastcgi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// A fidelityTest is a handler and a request that must not be able to tell
// whether a net/http server serves them, or HTTP.
type fidelityTest struct {
	name    string
	method  string // GET if it is empty
	uri     string // / if it is empty
	header  http.Header
	body    string
	handler func(w http.ResponseWriter, r *http.Request) (notes []any)

	// differs are the header fields that are not the same, and why is why.
	differs []string
	why     string
}

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// respond is a handler that sets header fields and writes pieces.
func respond(header http.Header, pieces ...string) func(http.ResponseWriter, *http.Request) []any {
	return func(w http.ResponseWriter, _ *http.Request) (notes []any) {
		maps.Copy(w.Header(), header)
		for _, p := range pieces {
			n, err := w.Write([]byte(p))
			notes = append(notes, n, err)
		}
		return notes
	}
}

// serve is a handler that is one of net/http's.
func serve(h http.Handler) func(http.ResponseWriter, *http.Request) []any {
	return func(w http.ResponseWriter, r *http.Request) []any {
		h.ServeHTTP(w, r)
		return nil
	}
}

var fidelityTests = []fidelityTest{
	{name: "nothing", handler: respond(nil)},
	{name: "hello", handler: respond(nil, "hello, world\n")},
	{name: "empty write", handler: respond(nil, "")},
	{name: "empty write first", handler: respond(nil, "", "a")},
	{name: "type set", handler: respond(http.Header{"Content-Type": {"application/json"}}, "{}")},
	{name: "type not wanted", handler: respond(http.Header{"Content-Type": nil}, "<html>")},
	{name: "CVE-2020-24553 type of HTML", handler: respond(nil, "<html>")},
	{name: "CVE-2020-24553 type of text", handler: respond(nil, "no <html>")},
	{name: "CVE-2020-24553 nosniff", handler: respond(http.Header{"X-Content-Type-Options": {"nosniff"}}, "<html>")},
	{name: "type of two pieces", handler: respond(nil, "<ht", "ml>")},
	{name: "type of a short and a long piece", handler: respond(nil, "<ht", "ml>"+strings.Repeat("a", 4000))},
	{name: "type of an encoded body", handler: respond(http.Header{"Content-Encoding": {"gzip"}}, "\x1f\x8b")},
	{name: "date set", handler: respond(http.Header{"Date": {"Sat, 03 Feb 2001 04:05:06 GMT"}}, "a")},
	{name: "date not wanted", handler: respond(http.Header{"Date": nil}, "a")},
	{name: "longest with a length", handler: respond(nil, strings.Repeat("a", 2048))},
	{name: "shortest without", handler: respond(nil, strings.Repeat("a", 2049))},
	{name: "longest with a length, in pieces", handler: respond(nil, strings.Repeat("a", 2047), "b")},
	{name: "shortest without, in pieces", handler: respond(nil, strings.Repeat("a", 2047), "bc")},
	{name: "long", handler: respond(nil, strings.Repeat("a", 100_000), "b", strings.Repeat("c", 100_000))},
	{name: "length set", handler: respond(http.Header{"Content-Length": {"3"}}, "abc")},
	{name: "length set for a long body", handler: respond(http.Header{"Content-Length": {"5000"}}, strings.Repeat("a", 5000))},
	{name: "length exceeded at last", handler: respond(http.Header{"Content-Length": {"3"}}, "ab", "c", "d")},
	{name: "length not wanted", handler: respond(http.Header{"Content-Length": nil}, "abc")},
	{name: "length invalid", handler: respond(http.Header{"Content-Length": {"3a"}}, "abc"), differs: []string{"Content-Length"}, why: "net/http then sends in chunks; a response in one piece has a length here"},
	{name: "fields repeated", handler: respond(http.Header{"Set-Cookie": {"a=b", "c=d"}, "Vary": {"A", "B"}}, "a")},
	{name: "field with newlines", handler: respond(http.Header{"X-A": {"a\r\nSet-Cookie: b"}}, "a")},
	{name: "field with spaces", handler: respond(http.Header{"X-A": {" \t a \t "}, "X-B": {""}}, "a")},
	{name: "field with a bad name", handler: respond(http.Header{"X A": {"a"}, "": {"b"}, "X:": {"c"}, "X\r\nY": {"d"}}, "a")},
	{name: "field in another case", handler: respond(http.Header{"x-lower": {"a"}}, "a")},
	{name: "field of bytes", handler: respond(http.Header{"X-A": {"größe \xff"}}, "a")},
	{name: "trailers", handler: respond(http.Header{"Trailer:X-A": {"a"}}, strings.Repeat("a", 3000))},
	{name: "chunked by hand", handler: respond(http.Header{"Transfer-Encoding": {"chunked"}}, "a"), differs: []string{"Content-Type", "Content-Length"}, why: "the field is dropped, so the response is like any other; net/http does not look at the body"},
	{name: "connection fields", handler: respond(http.Header{"Connection": {"close"}, "Keep-Alive": {"timeout=5"}}, "a"), differs: []string{"Keep-Alive"}, why: "they are about the connection to the client, which is the web server's (RFC 3875 §6.3.4)"},
	{name: "field Status", handler: respond(http.Header{"Status": {"500"}}, "a"), differs: []string{"Status"}, why: "it would be the status of the response"},
	{name: "types", handler: respond(http.Header{"Content-Type": {"text/plain", "text/html"}}, "a"), differs: []string{"Content-Type"}, why: "a CGI response has at most one (RFC 3875 §6.3)"},

	{name: "status", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.WriteHeader(599)
		return nil
	}},
	{name: "status twice", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.WriteHeader(404)
		w.WriteHeader(200)
		return nil
	}},
	{name: "status after body", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "a")
		w.WriteHeader(404)
		return nil
	}},
	{name: "fields after status", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("X-A", "before")
		w.WriteHeader(404)
		w.Header().Set("X-A", "after")
		w.Header().Set("Content-Type", "application/json")
		return []any{w.Header().Get("X-A")}
	}},
	{name: "fields after body", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "a")
		w.Header().Set("X-A", "after")
		return nil
	}},
	{name: "early hints", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.WriteHeader(102)
		w.WriteHeader(100)
		n, err := io.WriteString(w, "a")
		return []any{n, err}
	}},
	{name: "bad status", handler: func(w http.ResponseWriter, _ *http.Request) (notes []any) {
		defer func() { notes = []any{recover() != nil} }()
		w.WriteHeader(1000)
		return nil
	}},
	{name: "no content", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(204)
		n, err := io.WriteString(w, "a")
		return []any{n, err, errors.Is(err, http.ErrBodyNotAllowed)}
	}},
	{name: "not modified", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Etag", `"a"`)
		w.WriteHeader(304)
		n, err := w.Write([]byte("a"))
		return []any{n, err, errors.Is(err, http.ErrBodyNotAllowed)}
	}},
	{name: "flush first", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.(http.Flusher).Flush()
		io.WriteString(w, "<html>")
		return nil
	}},
	{name: "flush between", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "<html>")
		err := http.NewResponseController(w).Flush()
		io.WriteString(w, "more")
		return []any{err}
	}},
	{name: "flush with a length", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "<html>")
		w.(http.Flusher).Flush()
		io.WriteString(w, "more")
		return nil
	}},
	{name: "read from", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(strings.Repeat("a", 100_000)))
		return []any{n, err}
	}},
	{name: "read from a short reader", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		n, err := io.Copy(w, io.LimitReader(strings.NewReader("<html>"), 100))
		return []any{n, err}
	}},
	{name: "full duplex", method: "POST", body: "abc", handler: func(w http.ResponseWriter, r *http.Request) []any {
		err := http.NewResponseController(w).EnableFullDuplex()
		io.WriteString(w, strings.Repeat("a", 5000))
		body, err2 := io.ReadAll(r.Body)
		return []any{err, string(body), err2}
	}},

	{name: "HEAD", method: "HEAD", handler: respond(nil)},
	{name: "HEAD with a body", method: "HEAD", handler: respond(nil, "<html>")},
	{name: "HEAD with a long body", method: "HEAD", handler: respond(nil, strings.Repeat("a", 5000), "b")},
	{name: "HEAD with a length", method: "HEAD", handler: respond(http.Header{"Content-Length": {"1000"}})},
	{name: "HEAD with a length and a body", method: "HEAD", handler: respond(http.Header{"Content-Length": {"3"}}, "abc", "d")},
	{name: "HEAD not found", method: "HEAD", handler: serve(http.NotFoundHandler())},

	{name: "request", uri: "/a%2Fb/%C3%A9?q=1&r=a+b", header: http.Header{
		"Accept": {"*/*"}, "Cookie": {"a=b"}, "User-Agent": {"x"}, "X-Forwarded-For": {"192.0.2.7"}, "X-1-y": {"z"},
	}, handler: inspect},
	{name: "request with two slashes", uri: "//example.org/a", handler: inspect},
	{name: "request with a body", method: "PUT", body: "abc", header: http.Header{"Content-Type": {"text/plain"}}, handler: inspect},
	{name: "request with an empty body", method: "POST", header: http.Header{"Content-Type": {"text/plain"}}, handler: inspect},
	{name: "form", method: "POST", uri: "/?a=1", body: "b=2&c=3", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		return []any{r.FormValue("a"), r.PostFormValue("b"), r.Form}
	}},
	{name: "multipart form", method: "POST", body: multipartBody, header: http.Header{"Content-Type": {"multipart/form-data; boundary=xyz"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		err := r.ParseMultipartForm(1 << 20)
		return []any{err, r.MultipartForm.Value, r.MultipartForm.File["f"][0].Filename}
	}},
	{name: "basic auth", header: http.Header{"Authorization": {"Basic dTpw"}}, handler: func(_ http.ResponseWriter, r *http.Request) []any {
		user, password, ok := r.BasicAuth()
		return []any{user, password, ok}
	}},
	{name: "body closed", method: "POST", body: "abc", handler: func(_ http.ResponseWriter, r *http.Request) []any {
		closed := r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		return []any{closed, err, errors.Is(err, http.ErrBodyReadAfterClose)}
	}},
	{name: "body too large", method: "POST", body: "abcdef", handler: func(w http.ResponseWriter, r *http.Request) []any {
		r.Body = http.MaxBytesReader(w, r.Body, 3)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
		return []any{string(body), err}
	}},

	{name: "error", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		http.Error(w, "no", http.StatusTeapot)
		return nil
	}},
	{name: "redirect", uri: "/a/b", handler: serve(http.RedirectHandler("c?d", http.StatusSeeOther))},
	{name: "redirect elsewhere", handler: serve(http.RedirectHandler("https://example.org/", http.StatusMovedPermanently))},
	{name: "mux", uri: "/dir", handler: serve(testMux())},
	{name: "mux with a pattern", uri: "/item/a%2Fb", handler: serve(testMux())},
	{name: "mux with a method", method: "DELETE", uri: "/item/a", handler: serve(testMux())},
	{name: "mux cleaning", uri: "/dir/../item//a", handler: serve(testMux())},
	{name: "strip prefix", uri: "/app/a.txt", handler: serve(http.StripPrefix("/app", http.FileServerFS(testFiles)))},
	{name: "file", uri: "/a.txt", handler: serve(http.FileServerFS(testFiles))},
	{name: "file range", uri: "/a.txt", header: http.Header{"Range": {"bytes=1-2"}}, handler: serve(http.FileServerFS(testFiles))},
	{name: "file ranges", uri: "/a.txt", header: http.Header{"Range": {"bytes=9-"}}, handler: serve(http.FileServerFS(testFiles))},
	{name: "file not modified", uri: "/a.txt", header: http.Header{"If-Modified-Since": {longAgo.Format(http.TimeFormat)}}, handler: serve(http.FileServerFS(testFiles))},
	{name: "file list", uri: "/", handler: serve(http.FileServerFS(testFiles))},
	{name: "long file", uri: "/long", handler: serve(http.FileServerFS(testFiles))},
	{name: "HEAD of a long file", method: "HEAD", uri: "/long", handler: serve(http.FileServerFS(testFiles))},
	{name: "timeout", handler: serve(http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late"))},
	{name: "max bytes", method: "POST", body: "abcdef", handler: serve(http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, err)
	}), 3))},
	{name: "template", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		return []any{template.Must(template.New("").Parse("<!DOCTYPE html><p>{{.}}")).Execute(w, "a & b")}
	}},
	{name: "JSON", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		return []any{json.NewEncoder(w).Encode(map[string]int{"a": 1})}
	}},
	{name: "cookie", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b c", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "d", Value: "e"})
		return nil
	}},
}

var testFiles = fstest.MapFS{
	"a.txt": {Data: []byte("abcdefgh\n"), ModTime: longAgo},
	"long":  {Data: bytes.Repeat([]byte("\x00abc"), 50_000), ModTime: longAgo},
}

const multipartBody = "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" +
	"--xyz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"g\"\r\n\r\nfile\r\n--xyz--\r\n"

func testMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.PathValue("id"), r.Pattern)
	})
	mux.HandleFunc("/dir/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "dir") })
	return mux
}

// inspect notes what the request is.
func inspect(_ http.ResponseWriter, r *http.Request) []any {
	body, err := io.ReadAll(r.Body)
	return []any{
		r.Method, r.URL, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.Host, r.RequestURI, r.Proto, r.ProtoMajor, r.ProtoMinor,
		r.Header, r.Host, r.ContentLength, r.Body == http.NoBody, r.TLS == nil, r.Form == nil, string(body), err,
		r.Context().Err(), r.Context().Value(http.ServerContextKey) != nil,
	}
}

func TestHTTPFidelity(t *testing.T) {
	for _, tt := range fidelityTests {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) { tt.compare(t, tt.overHTTP(t), tt.overFastCGI(t, p)) })
		})
	}
}

// compare holds what happened against what happens in net/http.
func (tt fidelityTest) compare(t *testing.T, want, got outcome) {
	if got.status != want.status || got.body != want.body || got.notes != want.notes {
		t.Errorf("got\n%d %.500q %.500q\nwant\n%d %.500q %.500q", got.status, got.body, got.notes, want.status, want.body, want.notes)
	}
	names := maps.Clone(want.header)
	maps.Copy(names, got.header)
	for name := range names {
		same := slices.Equal(got.header[name], want.header[name])
		if differs := slices.Contains(tt.differs, name); same == differs {
			t.Errorf("%s is %q, with net/http %q, listed as a difference: %v", name, got.header[name], want.header[name], differs)
		}
	}
}

// An outcome is what the client, and what the handler saw.
type outcome struct {
	status int
	header http.Header
	body   string
	notes  string
}

// noting makes an http.Handler of the test's handler, and its notes.
func (tt fidelityTest) noting() (http.Handler, <-chan string) {
	notes := make(chan string, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		notes <- fmt.Sprint(tt.handler(w, r)...)
	}), notes
}

func (tt fidelityTest) overHTTP(t *testing.T) outcome {
	handler, notes := tt.noting()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL+cmp.Or(tt.uri, "/"), strings.NewReader(tt.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "example.com"
	req.Header.Set("User-Agent", "") // so that none is sent
	maps.Copy(req.Header, tt.header)
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{resp.StatusCode, undated(resp.Header), string(body), <-notes}
}

func (tt fidelityTest) overFastCGI(t *testing.T, p place) outcome {
	handler, notes := tt.noting()
	web := p.serveHTTP(t, handler).dial(t)
	uri := cmp.Or(tt.uri, "/")
	_, query, _ := strings.Cut(uri, "?")
	params := []string{"REQUEST_METHOD", cmp.Or(tt.method, "GET"), "REQUEST_URI", uri, "QUERY_STRING", query}
	for name, values := range tt.header {
		variable, _ := cgi.Variable(name)
		params = append(params, variable, values[0])
	}
	if tt.body == "" && tt.method != "POST" {
		web.send(get(1, true, httpGet(params...)...))
	} else {
		web.send(post(1, true, tt.body, httpGet(params...)...))
	}
	stdout := web.answer(1).stdout.String()
	if !strings.HasPrefix(stdout, "Status: ") {
		t.Fatalf("A43: output begins with %.20q", stdout)
	}
	var parser cgi.HeaderParser
	body, done, err := parser.Feed([]byte(stdout))
	if err != nil || !done {
		t.Fatalf("no header: %v: %q", err, stdout)
	}
	h := parser.Header()
	return outcome{h.Status, undated(http.Header(h.Fields)), string(body), <-notes}
}

// undated returns the fields with the date replaced, unless a test has set it.
func undated(h http.Header) http.Header {
	if h == nil {
		h = http.Header{}
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil && time.Since(date) < time.Hour {
		h.Set("Date", "now")
	}
	return h
}
