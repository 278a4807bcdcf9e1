package interop_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// A front is a way to reach the handlers of the cases.
type front struct {
	name  string
	addr  string // host:port
	via   http.RoundTripper
	stage *stage
}

// A stage has the handlers of all cases, and what they noticed. The header field Case says which one is asked.
type stage struct {
	handlers map[string]func(http.ResponseWriter, *http.Request) []any
	begun    atomic.Int64
	notes    chan string // one for each that has begun
}

func newStage(cases []httpCase) *stage {
	s := &stage{handlers: make(map[string]func(http.ResponseWriter, *http.Request) []any), notes: make(chan string, 1)}
	for _, c := range cases {
		s.handlers[c.name] = c.handler
		if c.handler == nil {
			s.handlers[c.name] = noteAll
		}
	}
	return s
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.begun.Add(1)
	var notes []any
	defer func() { s.notes <- fmt.Sprint(notes...) }()
	notes = s.handlers[r.Header.Get("Case")](w, r)
}

// netHTTP is net/http itself.
func netHTTP(t *testing.T, cases []httpCase) front {
	t.Helper()
	s := newStage(cases)
	return front{"net/http", httpServer(t, s), newTransport(t), s}
}

// frontNames are the fronts that there are on Linux.
const frontNames = "alone " + webServers

// fronts start what the library is compared with net/http behind, wherever that runs; linuxFronts are the others.
var fronts = map[string]func(t *testing.T, cases []httpCase) front{
	"alone": func(t *testing.T, cases []httpCase) front {
		p, s := newPlace(t), newStage(cases)
		return front{"alone", "example.com", alone{s.serve(t, "unix:"+p.socket)}, s}
	},
	"gateway": func(t *testing.T, cases []httpCase) front {
		p, s := newPlace(t), newStage(cases)
		h := &gateway.Handler{Client: s.serve(t, "unix:"+p.socket), ErrorLog: slog.New(slog.DiscardHandler)}
		return front{"gateway", httpServer(t, h), newTransport(t), s}
	},
	"nginx": behind(nginx, "unix", "client_max_body_size 1g; large_client_header_buffers 4 32k; "+
		"fastcgi_buffer_size 32k; fastcgi_buffers 4 32k;", "minimal.conf"),
	"apache": behind(apache, "unix", "LimitRequestFieldSize 32000\nLimitRequestFields 200\nKeepAliveTimeout 1", "production.conf"),
	// Caddy's own X-Forwarded fields, which a handler sees, would be a difference in every case.
	"caddy": behind(caddy, "unix", "", "minimal.Caddyfile",
		"http:// {", "http:// {\n\trequest_header -*_*\n\trequest_header -Proxy",
		"transport fastcgi", "header_up -X-Forwarded-*\n\t\theader_down -Status\n\t\ttransport fastcgi"),
}

// behind starts a web server with a printed configuration, in which the old texts are replaced by the new ones, and
// around it what lets through the largest of the cases.
func behind(w *webServer, network, around, config string, oldnew ...string) func(*testing.T, []httpCase) front {
	return func(t *testing.T, cases []httpCase) front {
		t.Helper()
		w.find(t)
		p, s := newPlace(t), newStage(cases)
		s.serve(t, map[string]string{"unix": "unix:" + p.socket, "tcp": "tcp:" + p.tcp}[network])
		text := strings.NewReplacer(oldnew...).Replace(printed(t, w.name, config))
		return front{w.name, w.runText(t, p, config, text, around).addr, newTransport(t), s}
	}
}

// serve runs the application, and returns a client of it.
func (s *stage) serve(t *testing.T, addr string) *client.Client {
	t.Helper()
	serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(s)}, addr)
	app := &client.Client{Addr: addr}
	t.Cleanup(func() { app.Close() })
	return app
}

// httpServer runs a server of net/http until the end of the test, and returns its address.
func httpServer(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func newTransport(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: patience}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// request makes the request of a case.
func (c httpCase) request(ctx context.Context, addr string) (*http.Request, error) {
	var body io.Reader
	switch {
	case c.body == "":
	case c.length == unknown:
		body = struct{ io.Reader }{strings.NewReader(c.body)}
	default:
		body = strings.NewReader(c.body)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, "http://"+addr+cmp.Or(c.uri, "/"), body)
	if err != nil {
		return nil, err
	}
	req.Host = "example.com"
	req.Header.Set("User-Agent", "") // so that none is sent
	maps.Copy(req.Header, c.header)
	req.Header.Set("Case", c.name)
	if c.length == expecting {
		req.Header.Set("Expect", "100-continue")
	}
	return req, nil
}

// ask sends the request of a case and returns what came of it.
func (f front) ask(t *testing.T, c httpCase) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	var informational []string
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			informational = append(informational, fmt.Sprint(code, h))
			return nil
		},
	})
	req, err := c.request(ctx, f.addr)
	if err != nil {
		t.Fatal(err)
	}
	if transport, ok := f.via.(*http.Transport); ok {
		// It would ask again if a connection that it has used before ends without a response.
		transport.CloseIdleConnections()
	}
	begun := f.stage.begun.Load()
	o := outcome{"end": "whole"}
	if resp, err := f.via.RoundTrip(req); err != nil {
		o["end"] = "no response"
	} else {
		o.take(resp)
	}
	if len(informational) > 0 {
		o["informational"] = strings.Join(informational, ", ")
	}
	if f.stage.begun.Load() == begun {
		o["notes"] = "the handler was not asked"
		return o
	}
	select {
	case o["notes"] = <-f.stage.notes:
	case <-ctx.Done():
		t.Fatalf("the handler is not done: %v", ctx.Err())
	}
	return o
}

// take notes a response.
func (o outcome) take(resp *http.Response) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		o["end"] = "broken off"
	}
	o["status"], o["body"] = strconv.Itoa(resp.StatusCode), string(body)
	for name, values := range resp.Header {
		if notCompared[name] == "" {
			o[name] = strings.Join(values, "\n")
		}
	}
	if date, err := http.ParseTime(o["Date"]); err == nil && time.Since(date) < time.Hour {
		o["Date"] = "now"
	}
	for name, values := range resp.Trailer {
		o["trailer "+name] = strings.Join(values, "\n")
	}
	o.hideBoundary()
}

// notCompared are the header fields of responses that are the web server's, and why.
var notCompared = map[string]string{
	"Connection":        "about the connection to the client",
	"Keep-Alive":        "about the connection to the client",
	"Transfer-Encoding": "about the connection to the client",
	"Server":            "the name of the web server",
}

// added are the header fields that a front adds to responses, and why. They are compared only where net/http has them,
// too.
var added = map[string]map[string]string{
	"gateway":  {"Content-Length": "what arrives all at once is sent with its length, as in every server of net/http"},
	"apache":   {"Vary": "Debian's mod_deflate would compress the response for a client that takes that"},
	"caddy":    {"Content-Length": "what arrives all at once is sent with its length, as in every server of net/http"},
	"lighttpd": {"Content-Length": "it has all of the response before it sends any", "Accept-Ranges": "it makes parts of whole responses itself"},
	"haproxy":  {"Content-Length": "what arrives all at once is sent with its length, also where there is no body to a 304"},
}

var byteranges = regexp.MustCompile(`^(multipart/byteranges; boundary=)([0-9a-f]+)$`)

// hideBoundary gives responses with several ranges the same boundary, which is random.
func (o outcome) hideBoundary() {
	if m := byteranges.FindStringSubmatch(o["Content-Type"]); m != nil {
		o["Content-Type"] = m[1] + "B"
		o["body"] = strings.ReplaceAll(o["body"], m[2], "B")
	}
}

// alone asks an application by itself, so that what it does wrong is not made good by a web server.
type alone struct{ app *client.Client }

// RoundTrip implements http.RoundTripper.
func (a alone) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.app.Do(r.Context(), &client.Request{Params: aloneParams(r), Stdin: r.Body})
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	stdout, err := io.ReadAll(resp)
	if err != nil {
		return nil, err
	}
	var parser cgi.HeaderParser
	body, done, err := parser.Feed(stdout)
	if err != nil || !done {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	rest := io.Reader(bytes.NewReader(body))
	if end, err := resp.Wait(); err != nil || end.AppStatus != 0 {
		rest = io.MultiReader(rest, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	h := parser.Header()
	return &http.Response{StatusCode: h.Status, Header: http.Header(h.Fields), Body: io.NopCloser(rest)}, nil
}

// aloneParams are the parameters of a request, as nginx passes them.
func aloneParams(r *http.Request) []client.Pair {
	params := []client.Pair{
		{Name: "REQUEST_METHOD", Value: cmp.Or(r.Method, http.MethodGet)},
		{Name: "REQUEST_URI", Value: r.URL.RequestURI()},
		{Name: "QUERY_STRING", Value: r.URL.RawQuery},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "HTTP_HOST", Value: r.Host},
		{Name: "REMOTE_ADDR", Value: "127.0.0.1"},
		{Name: "REMOTE_PORT", Value: "1234"},
	}
	// A transport sends a length of zero where a body is usual.
	usual := r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
	if r.ContentLength > 0 || r.Body == nil && usual {
		params = append(params, client.Pair{Name: "CONTENT_LENGTH", Value: strconv.FormatInt(r.ContentLength, 10)})
	}
	for name, values := range r.Header {
		if variable, ok := cgi.Variable(name); ok {
			for _, v := range values {
				params = append(params, client.Pair{Name: variable, Value: v})
			}
		}
	}
	return params
}
