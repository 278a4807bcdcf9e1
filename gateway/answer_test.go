package gateway_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

var long = strings.Repeat("0123456789abcdef", 40000)

// answerTests are what an application says on STDOUT, and what the client gets.
var answerTests = []struct {
	name   string
	method string // GET if empty
	stdout string
	status int
	header map[string]string // unset: must not be there
	body   string
	broken bool // the response must be seen to break off
}{
	{name: "G1 content type alone", stdout: "Content-Type: text/x\n\nhi", status: 200, header: map[string]string{"Content-Type": "text/x"}, body: "hi"},
	{name: "G1 status alone, no type guessed", stdout: "Status: 401\n\n<html>", status: 401, header: map[string]string{"Content-Type": unset}, body: "<html>"},
	{name: "G1 status alone, no body", stdout: "Status: 404 Not Found\n\n", status: 404, header: map[string]string{"Content-Length": "0"}},
	{name: "G3 absolute location", stdout: "Location: http://other/\n\n", status: 302, header: map[string]string{"Location": "http://other/"}},
	{name: "G3 network path", stdout: "Location: //other/x\n\n", status: 302, header: map[string]string{"Location": "//other/x"}},
	{name: "G3 with status, type and body", stdout: "Status: 301\nLocation: http://other/\nContent-Type: a/b\n\ngone", status: 301, header: map[string]string{"Location": "http://other/", "Content-Type": "a/b"}, body: "gone"},
	{name: "G3 path with status", stdout: "Status: 303\nLocation: /here\n\n", status: 303, header: map[string]string{"Location": "/here"}},
	{name: "G4 broken status", stdout: "Status: 2x0\n\n", status: 502},
	{name: "G4 two", stdout: "Status: 200\nStatus: 201\n\n", status: 502},
	{name: "G4 not final", stdout: "Status: 100\n\n", status: 502},
	{name: "G4 switching", stdout: "Status: 101\n\n", status: 502},
	{name: "G4 lowest", stdout: "Status: 200\n\n", status: 200},
	{name: "G4 highest", stdout: "Status: 599\n\n", status: 599},
	{name: "G5 folded", stdout: "Content-Type: a/b\n c\n\n", status: 502},
	{name: "G5 no CGI field", stdout: "X-A: 1\n\n", status: 502},
	{name: "G5 no header", stdout: "hello, world\n", status: 502},
	{name: "G5 header without end", stdout: "Content-Type: a/b\n", status: 502},
	{name: "G5 nothing", stdout: "", status: 502},
	{name: "A43 NPH", stdout: "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n", status: 502},
	{name: "CVE-2024-42516", stdout: "Content-Type: a/b\rSet-Cookie: x\n\n", status: 502, header: map[string]string{"Set-Cookie": unset}},
	{name: "CVE-2014-3583", stdout: "X: " + strings.Repeat("x", cgi.MaxHeaderBytes), status: 502},
	{
		name: "G6 hop by hop", stdout: "Content-Type: a/b\nConnection: keep-alive, x-private\nX-Private: 1\nKeep-Alive: 5\nTransfer-Encoding: gzip\nUpgrade: h2c\nTrailer: X\nTE: x\nX-Public: 2\n\nok",
		status: 200, body: "ok", header: map[string]string{
			"Connection": unset, "X-Private": unset, "Keep-Alive": unset, "Upgrade": unset, "Trailer": unset, "Te": unset, "X-Public": "2",
		},
	},
	{name: "G7 HEAD", method: "HEAD", stdout: "Content-Type: a/b\nContent-Length: 5\n\nhello", status: 200, header: map[string]string{"Content-Length": "5"}},
	{name: "G7 HEAD long", method: "HEAD", stdout: "Content-Type: a/b\n\n" + long, status: 200},
	{name: "G7 204", stdout: "Status: 204\nContent-Length: 5\n\nhello", status: 204, header: map[string]string{"Content-Length": unset}},
	{name: "G7 304", stdout: "Status: 304\nETag: \"x\"\n\nhello", status: 304, header: map[string]string{"Etag": `"x"`}},
	{name: "G7 exact", stdout: "Content-Type: a/b\nContent-Length: 5\n\nhello", status: 200, body: "hello", header: map[string]string{"Content-Length": "5"}},
	{name: "G7 one too many", stdout: "Content-Type: a/b\nContent-Length: 5\n\nhello!", status: 200, body: "hello"},
	{name: "G7 much too many", stdout: "Content-Type: a/b\nContent-Length: 5\n\nhello" + long, status: 200, body: "hello"},
	{name: "G7 too many for none", stdout: "Content-Type: a/b\nContent-Length: 0\n\nhello", status: 200},
	{name: "G7 one too few", stdout: "Content-Type: a/b\nContent-Length: 6\n\nhello", status: 200, body: "hello", broken: true},
	{name: "G7 none of five", stdout: "Content-Type: a/b\nContent-Length: 5\n\n", status: 200, broken: true},
	{name: "G7 long", stdout: "Content-Type: a/b\n\n" + long, status: 200, body: long},
	{name: "G7 no number", stdout: "Content-Type: a/b\nContent-Length: five\n\nhello", status: 502},
	{name: "G7 negative", stdout: "Content-Type: a/b\nContent-Length: -5\n\nhello", status: 502},
	{name: "G7 two lengths", stdout: "Content-Type: a/b\nContent-Length: 5\nContent-Length: 6\n\nhello", status: 502},
	{name: "repeated fields", stdout: "Content-Type: a/b\nSet-Cookie: a\nSet-Cookie: b\n\n", status: 200, header: map[string]string{"Set-Cookie": "a|b"}},
}

func TestAnswers(t *testing.T) {
	for _, tt := range answerTests {
		t.Run(tt.name, func(t *testing.T) {
			f := scripted(t, &gateway.Handler{}, func(*fakeapp.Request) string { return tt.stdout })
			f.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			if tt.method == "" {
				tt.method = "GET"
			}
			resp, body, err := f.do(t, f.request(t, tt.method, "/", nil))
			if resp == nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status || (err != nil) != tt.broken {
				t.Errorf("status %d, error %v", resp.StatusCode, err)
			}
			if tt.broken && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("broken by %v", err)
			}
			if body != tt.body && tt.status != 502 {
				t.Errorf("body of %d bytes, want %d", len(body), len(tt.body))
			}
			if tt.status == 502 && (body != "502 Bad Gateway\n" || !strings.Contains(f.log.String(), "level=ERROR")) {
				t.Errorf("page %q", body)
			}
			for name, want := range tt.header {
				got := strings.Join(resp.Header[name], "|")
				if want == unset && resp.Header[name] != nil || want != unset && got != want {
					t.Errorf("%s is %q, want %q", name, resp.Header[name], want)
				}
			}
		})
	}
}

// G7, C13: the connection to the application survives a body without a place.
func TestG7ConnectionSurvives(t *testing.T) {
	for _, tt := range []struct {
		method, stdout string
		conns          int32
	}{
		{"HEAD", "Content-Type: a/b\n\nhello", 1},
		{"GET", "Status: 304\n\nhello", 1},
		{"GET", "Content-Type: a/b\nContent-Length: 5\n\nhello", 1},
		{"GET", "Content-Type: a/b\n\nhello", 1},
		{"HEAD", "Content-Type: a/b\n\n" + strings.Repeat("x", 1<<20), 3},
	} {
		var conns atomic.Int32
		h := &gateway.Handler{Client: kept()}
		f := newFront(t, h, fakeapp.Start(t, func(a *fakeapp.Conn) {
			conns.Add(1)
			for r := a.Request(); r != nil; r = a.Request() {
				a.Say(r.Answer(tt.stdout))
			}
		}))
		for range 3 {
			if _, _, err := f.do(t, f.request(t, tt.method, "/", nil)); err != nil {
				t.Error(err)
			}
		}
		f.app.Close()
		if conns := conns.Load(); conns != tt.conns {
			t.Errorf("%s, %d bytes: %d connections, want %d", tt.method, len(tt.stdout), conns, tt.conns)
		}
	}
}

// A chunk is passed on when it arrives, and the header before it.
func TestStreams(t *testing.T) {
	proceed := make(chan struct{})
	f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, func(a *fakeapp.Conn) {
		r := a.Request()
		a.Say(r.Stdout("Content-Type: text/plain\n\n"))
		for _, chunk := range []string{"one", "two"} {
			<-proceed
			a.Say(r.Stdout(chunk))
		}
		<-proceed
		a.Say(r.Answer(""))
	}))
	resp, err := f.Client().Do(f.request(t, "GET", "/", nil)) // returns: the header is here
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 3)
	for _, want := range []string{"one", "two"} {
		proceed <- struct{}{}
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != want {
			t.Errorf("read %q, %v", buf, err)
		}
	}
	close(proceed)
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
}
