package interop_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A seen is what an http.Handler sees of a request.
type seen struct {
	Method, RequestURI, Path, RawPath, RawQuery string

	Header        http.Header
	ContentLength int64
	Form          url.Values
	File          string // of a form
	Cookies       []string
	RemoteAddr    bool
	Body          string
}

// look answers with what the handler sees.
func look(w http.ResponseWriter, r *http.Request) {
	s := seen{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
		Header: r.Header.Clone(), ContentLength: r.ContentLength, RemoteAddr: strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"),
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, c.Name+"="+c.Value)
	}
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
	_ = json.NewEncoder(w).Encode(s)
}

// likeNetHTTP sends requests to an http.Handler behind a web server, and to the same one in a server of net/http. It
// sees the same.
func likeNetHTTP(t *testing.T, s *site) {
	direct := httptest.NewServer(http.HandlerFunc(look))
	defer direct.Close()
	for name, ask := range map[string]func(*http.Request){
		"GET":     func(*http.Request) {},
		"query":   func(r *http.Request) { r.URL.RawQuery = "a=1&a=2&b=%20+" },
		"path":    func(r *http.Request) { r.URL = r.URL.JoinPath("a%2Fb/%C3%BC") },
		"method":  func(r *http.Request) { r.Method = "DELETE" },
		"header":  func(r *http.Request) { r.Header["X-Odd"] = []string{`a, "b"; ü`} },
		"cookies": func(r *http.Request) { r.Header["Cookie"] = []string{"a=1; b=2"} },
		"pragma":  func(r *http.Request) { r.Header.Set("Pragma", "no-cache") },
		"form":    func(r *http.Request) { setBody(r, "application/x-www-form-urlencoded", "name=joe&name=jack") },
		"file":    setFile,
		"JSON":    func(r *http.Request) { setBody(r, "application/json", `{"a": 1}`) },
		"no type": func(r *http.Request) { setBody(r, "", "text") },
		"empty":   func(r *http.Request) { setBody(r, "text/plain", "") },
	} {
		t.Run(name, func(t *testing.T) {
			behind, alone := s.request(t, http.MethodGet, "", nil), s.request(t, http.MethodGet, "", nil)
			alone.URL.Host = strings.TrimPrefix(direct.URL, "http://")
			ask(behind)
			ask(alone)
			got, want := s.do(t, behind), s.do(t, alone)
			if got.body != want.body {
				t.Errorf("behind %s the handler sees\n%s\nand alone\n%s", s.server.name, got.body, want.body)
			}
		})
	}
}

func setBody(r *http.Request, mimeType, body string) {
	r.Method = http.MethodPost
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	if body == "" {
		r.Body = http.NoBody
	}
	if mimeType != "" {
		r.Header.Set("Content-Type", mimeType)
	}
}

// setFile makes the request a form with a file in it.
func setFile(r *http.Request) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.SetBoundary("boundary"); err != nil {
		panic(err)
	}
	part, err := w.CreateFormFile("file", "name.txt")
	if err != nil {
		panic(err)
	}
	io.WriteString(part, strings.Repeat("line\n", 10000))
	w.Close()
	setBody(r, w.FormDataContentType(), body.String())
}
