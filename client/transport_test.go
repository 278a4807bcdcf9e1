package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// newTransport returns a transport to an application that follows script, and
// keeps its connections.
func newTransport(t *testing.T, transport *client.Transport, script func(*fakeapp.Conn)) *client.Transport {
	t.Helper()
	c := newClient(t, &client.Client{KeepConn: true}, script)
	t.Cleanup(func() { c.Close() })
	transport.Client = c
	if transport.ErrorLog == nil {
		transport.ErrorLog = slog.New(slog.DiscardHandler)
	}
	return transport
}

// answers is a script that answers every request by answer.
func answers(answer func(r *fakeapp.Request) string) func(*fakeapp.Conn) {
	return func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			a.Say(r.Answer(answer(r)))
		}
	}
}

// says answers the same to everybody.
func says(stdout string) func(*fakeapp.Conn) {
	return answers(func(*fakeapp.Request) string { return stdout })
}

// a watchedBody counts how often it was closed.
type watchedBody struct {
	io.Reader
	closed atomic.Int32
}

func (b *watchedBody) Close() error {
	b.closed.Add(1)
	if c, ok := b.Reader.(io.Closer); ok {
		c.Close()
	}
	return nil
}

// expectClosed waits for a body to be closed, and fails if that was done twice.
func (b *watchedBody) expectClosed(t *testing.T) {
	t.Helper()
	eventually(t, "the request's body is closed", func() bool { return b.closed.Load() > 0 })
	if n := b.closed.Load(); n != 1 {
		t.Errorf("the request's body was closed %d times", n)
	}
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// roundTrip returns a response with its body read.
func roundTrip(rt http.RoundTripper, r *http.Request) (*http.Response, string, error) {
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

var long = strings.Repeat("0123456789abcdef", 40000)

// What an application says on STDOUT, and what the caller gets.
var responseHeadTests = []struct {
	name   string
	method string // GET if empty
	stdout string
	status string
	length int64
	header map[string]string // all of it
	body   string
	err    error // of reading the body
}{
	{name: "G1 type alone", stdout: "Content-Type: a/b\n\nhi", status: "200 OK", length: 2, header: map[string]string{"Content-Type": "a/b"}, body: "hi"},
	{name: "G1 status alone", stdout: "Status: 404 Nowhere\n\n", status: "404 Not Found"},
	{name: "G3 location alone", stdout: "Location: http://other/\n\n", status: "302 Found", header: map[string]string{"Location": "http://other/"}},
	{name: "G2 local location alone", stdout: "Location: /here\n\n", status: "302 Found", header: map[string]string{"Location": "/here"}},
	{name: "G3 location with status", stdout: "Location: /here\nStatus: 307\n\n", status: "307 Temporary Redirect", header: map[string]string{"Location": "/here"}},
	{name: "RFC 9110 names", stdout: "Status: 413\n\n", status: "413 Content Too Large"},
	{name: "no name", stdout: "Status: 599\n\n", status: "599 "},
	{
		name: "G6 hop by hop", stdout: "Content-Type: a/b\nConnection: x-private, close\nX-Private: 1\nKeep-Alive: 1\nTransfer-Encoding: chunked\nTrailer: X\nX-Public: 2\n\n",
		status: "200 OK", header: map[string]string{"Content-Type": "a/b", "X-Public": "2"},
	},
	{name: "repeated fields", stdout: "Status: 200\nSet-Cookie: a\nSet-Cookie: b\n\n", status: "200 OK", header: map[string]string{"Set-Cookie": "a|b"}},
	{name: "G7 exact", stdout: "Status: 200\nContent-Length: 5\n\nhello", status: "200 OK", length: 5, header: map[string]string{"Content-Length": "5"}, body: "hello"},
	{name: "G7 one too many", stdout: "Status: 200\nContent-Length: 5\n\nhello!", status: "200 OK", length: 5, header: map[string]string{"Content-Length": "5"}, body: "hello"},
	{name: "G7 far too many", stdout: "Status: 200\nContent-Length: 5\n\nhello" + long, status: "200 OK", length: 5, header: map[string]string{"Content-Length": "5"}, body: "hello"},
	{name: "G7 too many for none", stdout: "Status: 200\nContent-Length: 0\n\nhello", status: "200 OK", header: map[string]string{"Content-Length": "0"}},
	{name: "G7 one too few", stdout: "Status: 200\nContent-Length: 6\n\nhello", status: "200 OK", length: 6, header: map[string]string{"Content-Length": "6"}, body: "hello", err: io.ErrUnexpectedEOF},
	{name: "G7 none", stdout: "Status: 200\nContent-Length: 6\n\n", status: "200 OK", length: 6, header: map[string]string{"Content-Length": "6"}, err: io.ErrUnexpectedEOF},
	{name: "G7 HEAD", method: "HEAD", stdout: "Status: 200\nContent-Length: 6\n\n", status: "200 OK", length: 6, header: map[string]string{"Content-Length": "6"}},
	{name: "G7 HEAD with a body", method: "HEAD", stdout: "Content-Type: a/b\n\n" + long, status: "200 OK", length: -1, header: map[string]string{"Content-Type": "a/b"}},
	{name: "G7 204", stdout: "Status: 204\nContent-Length: 5\n\nhello", status: "204 No Content"},
	{name: "G7 304", stdout: "Status: 304\nEtag: x\n\nhello", status: "304 Not Modified", header: map[string]string{"Etag": "x"}},
	{name: "G7 long", stdout: "Status: 200\n\n" + long, status: "200 OK", length: -1, body: long},
	{name: "large header", stdout: "Status: 200\nX-Large: " + strings.Repeat("x", 60000) + "\n\n", status: "200 OK", header: map[string]string{"X-Large": strings.Repeat("x", 60000)}},
}

func TestTransportResponse(t *testing.T) {
	for _, tt := range responseHeadTests {
		t.Run(tt.name, func(t *testing.T) {
			transport := newTransport(t, &client.Transport{}, says(tt.stdout))
			r := request(t, tt.method, "http://example.org/", nil)
			resp, body, err := roundTrip(transport, r)
			if resp == nil {
				t.Fatal(err)
			}
			if resp.Status != tt.status || !strings.HasPrefix(tt.status, resp.Status[:3]) || resp.Proto != "HTTP/1.1" || resp.Request != r || resp.Trailer != nil {
				t.Errorf("response %+v", resp)
			}
			// Without the field it is known if the end has come with the header.
			if resp.ContentLength != tt.length && (resp.ContentLength != -1 || tt.header["Content-Length"] != "" || !cgi.BodyAllowed(resp.StatusCode)) {
				t.Errorf("length %d, want %d", resp.ContentLength, tt.length)
			}
			got := make(map[string]string)
			for name, values := range resp.Header {
				got[name] = strings.Join(values, "|")
			}
			if tt.header == nil {
				tt.header = map[string]string{}
			}
			if !maps.Equal(got, tt.header) {
				t.Errorf("header %v, want %v", got, tt.header)
			}
			if body != tt.body || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("body of %d bytes, want %d; error %v", len(body), len(tt.body), err)
			}
		})
	}
}

// What is no response of CGI is an error, and so is what cannot be one here.
func TestTransportNoResponse(t *testing.T) {
	for _, tt := range []struct {
		stdout string
		want   error
	}{
		{"", io.ErrUnexpectedEOF},
		{"Content-Type: a/b\n", io.ErrUnexpectedEOF},
		{"hello, world\n", client.ErrMalformedHead},
		{"X-A: 1\n\n", client.ErrMalformedHead},
		{"X: " + strings.Repeat("x", 64<<10), client.ErrHeadTooLarge},
		{"Status: 100\n\n", nil},
		{"Status: 101\nUpgrade: talk\n\n", nil},
		{"Status: 200\nContent-Length: five\n\n", nil},
	} {
		transport := newTransport(t, &client.Transport{}, says(tt.stdout))
		body := &watchedBody{Reader: strings.NewReader("body")}
		resp, _, err := roundTrip(transport, request(t, "POST", "http://h/", body))
		if resp != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) || client.StatusOf(err) != 502 {
			t.Errorf("%.40q: %v, %v", tt.stdout, resp, err)
		}
		body.expectClosed(t)
	}
}

// params answers with all parameters, as JSON.
func params(r *fakeapp.Request) string {
	b, _ := json.Marshal(r.Params)
	return "Content-Type: application/json\n\n" + string(b)
}

const unset = "\x00"

func compareParams(t *testing.T, body string, want map[string]string) {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %q", err, body)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[name]; ok == (want[name] == unset) || ok && value != want[name] {
			t.Errorf("%s is %q (%v), want %q", name, value, ok, want[name])
		}
	}
}

// G8: the variables of a request that was made here.
func TestTransportVariables(t *testing.T) {
	for _, tt := range []struct {
		name      string
		transport client.Transport
		method    string
		url       string
		change    func(*http.Request)
		body      io.Reader
		want      map[string]string
	}{
		{
			name: "all", url: "http://example.org/a%20b/c?x=1", want: map[string]string{
				"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": client.DefaultServerSoftware, "SERVER_PROTOCOL": "HTTP/1.1",
				"SERVER_NAME": "example.org", "SERVER_PORT": "80", "SERVER_ADDR": unset, "HTTP_HOST": "example.org",
				"REQUEST_METHOD": "GET", "REQUEST_SCHEME": "http", "REQUEST_URI": "/a%20b/c?x=1", "QUERY_STRING": "x=1",
				"SCRIPT_NAME": "", "PATH_INFO": "/a b/c", "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": unset,
				"CONTENT_LENGTH": unset, "CONTENT_TYPE": unset, "HTTPS": unset, "SSL_PROTOCOL": unset,
			},
		},
		{name: "https", url: "https://example.org", want: map[string]string{
			"HTTPS": "on", "REQUEST_SCHEME": "https", "SERVER_PORT": "443", "REQUEST_URI": "/", "PATH_INFO": "/", "SSL_PROTOCOL": unset,
		}},
		{name: "port", url: "http://example.org:8080/", want: map[string]string{"SERVER_PORT": "8080", "SERVER_NAME": "example.org", "HTTP_HOST": "example.org:8080"}},
		{
			name: "Host", url: "http://10.0.0.1:9000/", change: func(r *http.Request) { r.Host = "example.org" },
			want: map[string]string{"HTTP_HOST": "example.org", "SERVER_NAME": "example.org"},
		},
		{
			name: "made by hand", url: "http://example.org/", change: func(r *http.Request) {
				*r = http.Request{URL: r.URL}
			},
			want: map[string]string{"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "example.org"},
		},
		{
			name: "came in and was rewritten", url: "http://example.org/new?q", change: func(r *http.Request) {
				r.RemoteAddr, r.RequestURI = "[2001:db8::1]:99", "/old"
			},
			want: map[string]string{"REMOTE_ADDR": "2001:db8::1", "REMOTE_PORT": "99", "REQUEST_URI": "/new?q"},
		},
		{name: "known length", method: "POST", url: "http://h/", body: strings.NewReader("abc"), want: map[string]string{"CONTENT_LENGTH": "3"}},
		{name: "unknown length", method: "POST", url: "http://h/", body: io.MultiReader(strings.NewReader("abc")), want: map[string]string{"CONTENT_LENGTH": "3"}},
		{name: "stream", method: "POST", transport: client.Transport{StreamBody: true}, url: "http://h/", body: io.MultiReader(strings.NewReader("abc")), want: map[string]string{"CONTENT_LENGTH": unset}},
		{name: "collect", method: "POST", transport: client.Transport{StreamBody: true, CollectBody: true, SpoolMemory: 1}, url: "http://h/", body: io.MultiReader(strings.NewReader("abc")), want: map[string]string{"CONTENT_LENGTH": "3"}},
		{name: "empty", method: "POST", url: "http://h/", body: http.NoBody, want: map[string]string{"CONTENT_LENGTH": unset}},
		{
			name: "settings", url: "http://h/app/x",
			transport: client.Transport{
				Prefix: "/app", Root: "/srv", ScriptFilename: "/srv/app.php", ServerSoftware: "me/1",
				Params: func(r *http.Request) []client.Pair {
					return []client.Pair{{Name: "SERVER_NAME", Value: r.Host + "!"}, {Name: "REMOTE_USER", Value: "ann"}}
				},
			},
			want: map[string]string{
				"SCRIPT_NAME": "/app", "PATH_INFO": "/x", "DOCUMENT_ROOT": "/srv", "PATH_TRANSLATED": "/srv/x", "SCRIPT_FILENAME": "/srv/app.php",
				"SERVER_SOFTWARE": "me/1", "SERVER_NAME": "h!", "REMOTE_USER": "ann",
			},
		},
		{
			name: "fields", url: "http://h/", change: func(r *http.Request) {
				r.Header = http.Header{"X-A": {"1", "2"}, "Cookie": {"a=1", "b=2"}, "Proxy": {"evil"}, "X_a": {"evil"}, "Upgrade": {"h2c"}, "Expect": {"100-continue"}}
			},
			want: map[string]string{"HTTP_X_A": "1, 2", "HTTP_COOKIE": "a=1; b=2", "HTTP_PROXY": unset, "HTTP_UPGRADE": unset, "HTTP_EXPECT": "100-continue"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport := newTransport(t, &tt.transport, answers(params))
			r := request(t, tt.method, tt.url, tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			_, body, err := roundTrip(transport, r)
			if err != nil {
				t.Fatal(err)
			}
			compareParams(t, body, tt.want)
		})
	}
}

// What cannot be asked is an error that says so, and closes the body.
func TestTransportRefuses(t *testing.T) {
	transport := newTransport(t, &client.Transport{Prefix: "/app", SpoolLimit: 3}, says("Status: 200\n\n"))
	ok := url.URL{Scheme: "http", Host: "h", Path: "/app/"}
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"no URL", func(r *http.Request) { r.URL = nil }, 502},
		{"method", func(r *http.Request) { r.Method = "GET /" }, 502},
		{"field", func(r *http.Request) { r.Header["X-A"] = []string{"a\nb"} }, 502},
		{"no path", func(r *http.Request) { r.URL.Path = "app" }, 400},
		{"opaque", func(r *http.Request) { *r.URL = url.URL{Scheme: "http", Opaque: "app"} }, 400},
		{"control", func(r *http.Request) { r.URL.Path = "/app/a\nb" }, 400},
		{"outside", func(r *http.Request) { r.URL.Path = "/apple" }, 404},
		{"too long", func(r *http.Request) { r.Body = &watchedBody{Reader: strings.NewReader("1234")} }, 413},
		{"MaxBytesReader", func(r *http.Request) {
			r.Body = &watchedBody{Reader: http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("1234")), 2)}
		}, 413},
		{"broken", func(r *http.Request) { r.Body = &watchedBody{Reader: io.MultiReader(errorReader{io.ErrNoProgress})} }, 400},
		{"too large", func(r *http.Request) { r.Header["X-A"] = []string{strings.Repeat("x", 1<<16)} }, 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := ok
			r := request(t, "POST", "http://h/", nil)
			r.URL, r.Body = &u, &watchedBody{Reader: strings.NewReader("123")}
			tt.change(r)
			resp, err := transport.RoundTrip(r)
			if resp != nil || err == nil || !strings.HasPrefix(err.Error(), "fastcgi: ") || client.StatusOf(err) != tt.status {
				t.Errorf("%v, %v, status %d", resp, err, client.StatusOf(err))
			}
			r.Body.(*watchedBody).expectClosed(t)
		})
	}
	if resp, err := new(client.Transport).RoundTrip(request(t, "GET", "http://h/", nil)); resp != nil || err == nil {
		t.Errorf("without a Client: %v, %v", resp, err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// Bodies of every length, known or not, arrive whole, on one kept connection.
func TestTransportBodies(t *testing.T) {
	for _, transport := range []*client.Transport{{}, {StreamBody: true}, {CollectBody: true}, {SpoolMemory: 10, CollectBody: true}} {
		var conns atomic.Int32
		newTransport(t, transport, func(a *fakeapp.Conn) {
			conns.Add(1)
			answers(func(r *fakeapp.Request) string { return "Content-Type: a/b\n\n" + r.Stdin })(a)
		})
		for _, want := range []string{"", "x", long} {
			for _, sized := range []bool{false, true} {
				body := &watchedBody{Reader: strings.NewReader(want)}
				r := request(t, "POST", "http://h/", body)
				if sized && want != "" {
					r.ContentLength = int64(len(want))
				}
				if resp, got, err := roundTrip(transport, r); got != want || err != nil {
					t.Errorf("%v, %d bytes of %d, %v", resp, len(got), len(want), err)
				}
				body.expectClosed(t)
			}
		}
		if n := conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	}
}

// A body that is not as long as was announced is the caller's fault.
func TestTransportBodyLength(t *testing.T) {
	for _, announced := range []int64{4, 6} {
		for _, again := range []bool{false, true} {
			transport := newTransport(t, &client.Transport{}, func(a *fakeapp.Conn) { a.Request() })
			body := &watchedBody{Reader: strings.NewReader("hello")}
			r := request(t, "POST", "http://h/", body)
			r.ContentLength = announced
			if again {
				r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("once is enough") }
			}
			if _, _, err := roundTrip(transport, r); err == nil || client.StatusOf(err) != 400 {
				t.Errorf("%d announced: %v", announced, err)
			}
			body.expectClosed(t)
		}
	}
}

// Both directions at once: a byte that was sent comes back before the next is.
func TestTransportStreams(t *testing.T) {
	transport := newTransport(t, &client.Transport{StreamBody: true}, func(a *fakeapp.Conn) {
		r := a.Begin()
		a.Say(r.Stdout("Content-Type: a/b\n\n"))
		for ev, err := a.Next(); err == nil; ev, err = a.Next() {
			if ev.End {
				a.Say(r.Answer(""))
				return
			}
			a.Say(r.Stdout(string(ev.Data)))
		}
	})
	for name, c := range map[string]*http.Client{"client": {Transport: transport}} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := io.Pipe()
			body := &watchedBody{Reader: ours}
			resp, err := c.Do(request(t, "POST", "http://h/", body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			buf := make([]byte, 10)
			for _, piece := range []string{"a", "bc", "d"} {
				io.WriteString(theirs, piece)
				if n, err := io.ReadFull(resp.Body, buf[:len(piece)]); string(buf[:n]) != piece || err != nil {
					t.Fatalf("read %q, %v", buf[:n], err)
				}
			}
			theirs.Close()
			if n, err := resp.Body.Read(buf); n != 0 || err != io.EOF {
				t.Errorf("then %d, %v", n, err)
			}
			body.expectClosed(t)
		})
	}
}

// A proxy of the standard library in front, which is what most use it for.
func proxy(t *testing.T, transport *client.Transport) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "app.example"})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.WriteHeader(client.StatusOf(err))
		},
	})
	t.Cleanup(s.Close)
	return s
}

func TestTransportReverseProxyVariables(t *testing.T) {
	transport := newTransport(t, &client.Transport{}, answers(params))
	s := proxy(t, transport)
	addr := s.Listener.Addr().String()
	resp, err := s.Client().Get(s.URL + "/a%2Fb?x=%41")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	compareParams(t, string(body), map[string]string{
		"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": addr, "SERVER_PORT": addr[strings.LastIndex(addr, ":")+1:], "SERVER_ADDR": "127.0.0.1",
		"REQUEST_URI": "/a%2Fb?x=%41", "HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "http", "HTTPS": unset,
	})
}

// The end of the context ends every phase, with its cause.
func TestTransportCancel(t *testing.T) {
	cause := errors.New("enough of it")
	for _, tt := range []struct {
		name   string
		script func(a *fakeapp.Conn, cancel func())
		collect,
		responds bool
	}{
		{name: "before", script: nil},
		{name: "collecting", collect: true},
		{name: "header", script: func(a *fakeapp.Conn, cancel func()) { a.Begin(); cancel(); a.AwaitClose() }},
		{name: "within the header", script: func(a *fakeapp.Conn, cancel func()) {
			r := a.Begin()
			a.Say(r.Stdout("Status: 200\n"))
			cancel()
			a.AwaitClose()
		}},
		{name: "body", responds: true, script: func(a *fakeapp.Conn, cancel func()) {
			r := a.Begin()
			a.Say(r.Stdout("Status: 200\n\nhello"))
			a.AwaitClose()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			transport := newTransport(t, &client.Transport{CollectBody: tt.collect, StreamBody: true}, func(a *fakeapp.Conn) {
				tt.script(a, func() { cancel(cause) })
			})
			ours, theirs := io.Pipe()
			defer theirs.Close()
			body := &watchedBody{Reader: ours}
			r := request(t, "POST", "http://h/", body).WithContext(ctx)
			switch {
			case tt.collect:
				go func() { io.WriteString(theirs, "x"); cancel(cause) }()
			case tt.script == nil:
				cancel(cause)
			}
			resp, err := transport.RoundTrip(r)
			if tt.responds {
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				io.ReadFull(resp.Body, make([]byte, 5))
				cancel(cause)
				_, err = resp.Body.Read(make([]byte, 1))
			} else if resp != nil {
				t.Errorf("response %v", resp)
			}
			if !errors.Is(err, cause) {
				t.Errorf("error %v", err)
			}
			body.expectClosed(t)
		})
	}
}

// Closing the body of the response early ends the request at the application.
func TestTransportCloseEnds(t *testing.T) {
	ended := make(chan error, 1)
	transport := newTransport(t, &client.Transport{}, func(a *fakeapp.Conn) {
		r := a.Request()
		a.Say(r.Stdout("Status: 200\n\nhello"))
		ended <- a.AwaitClose()
	})
	resp, err := transport.RoundTrip(request(t, "GET", "http://h/", nil))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("read %d, %v", n, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}

// It may be closed while somebody reads it, and that ends the Read.
func TestTransportCloseWhileReading(t *testing.T) {
	transport := newTransport(t, &client.Transport{}, func(a *fakeapp.Conn) {
		r := a.Request()
		a.Say(r.Stdout("Status: 200\n\nhello"))
		a.AwaitClose()
	})
	resp, err := transport.RoundTrip(request(t, "GET", "http://h/", nil))
	if err != nil {
		t.Fatal(err)
	}
	reading, read := make(chan bool), make(chan error)
	go func() {
		io.ReadFull(resp.Body, make([]byte, 5))
		reading <- true
		_, err := resp.Body.Read(make([]byte, 1))
		read <- err
	}()
	<-reading
	resp.Body.Close()
	if err := <-read; !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("read %v", err)
	}
}
