package fastcgi_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

var anyDate = regexp.MustCompile(`Date: [A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\r\n`)

// What goes out is a CGI response, and never begins like one of HTTP (A43).
func TestHTTPResponse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		want   string // with "Date." for the line of the date
		status uint32
		logged string
	}{
		{
			"hello", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello, world\n") },
			"Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\nDate.\r\nhello, world\n", 0, "",
		},
		{
			"nothing", func(http.ResponseWriter, *http.Request) {},
			"Status: 200 OK\r\nContent-Length: 0\r\nDate.\r\n", 0, "",
		},
		{
			"fields in order", func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range []string{"D", "B", "A", "C"} {
					w.Header().Set(name, "1")
				}
				w.Header()["B"] = []string{"2", "1"}
				w.WriteHeader(204)
			},
			"Status: 204 No Content\r\nA: 1\r\nB: 2\r\nB: 1\r\nC: 1\r\nD: 1\r\nDate.\r\n", 0, "",
		},
		{
			"W1 Location in another case", func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["location"] = []string{"/x"}
				w.Header().Set("A", "1")
				w.WriteHeader(307)
			},
			"Location: /x\r\nStatus: 307 Temporary Redirect\r\nA: 1\r\nContent-Length: 0\r\nDate.\r\n", 0, "",
		},
		{
			"W1 Location in two cases", func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["location"] = []string{"/x"}
				w.Header()["Location"] = []string{"/y", "/z"}
				w.WriteHeader(201)
			},
			"Location: /y\r\nStatus: 201 Created\r\nContent-Length: 0\r\nDate.\r\n", 0, "",
		},
		{
			"status without a name", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) },
			"Status: 999\r\nContent-Length: 0\r\nDate.\r\n", 0, "",
		},
		{
			"early hints", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103) },
			"Status: 200 OK\r\nContent-Length: 0\r\nDate.\r\n", 0, "",
		},
		{
			"switching protocols", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Connection", "Upgrade")
				w.Header().Set("Upgrade", "websocket")
				w.WriteHeader(101)
				w.(http.Flusher).Flush()
			},
			"Status: 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nDate.\r\n", 0, "",
		},
		{
			"connection of the web server", func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range []string{"Connection", "connection", "Keep-Alive", "Transfer-Encoding", "Trailer", "Status", "sTATUS"} {
					w.Header()[name] = []string{"close"}
				}
				w.WriteHeader(204)
			},
			"Status: 204 No Content\r\nDate.\r\n", 0, "",
		},
		{
			"control character", func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["X-A"] = []string{"a\x1bb", "c\x00", "d\r\ne"}
				w.WriteHeader(204)
			},
			"Status: 204 No Content\r\nX-A: d  e\r\nDate.\r\n", 0, "control character",
		},
		{
			"singular fields", func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range []string{"Content-Type", "Content-Length", "Location"} {
					w.Header()[name] = []string{"0", "1"}
				}
				w.WriteHeader(201)
			},
			"Location: 0\r\nStatus: 201 Created\r\nContent-Length: 0\r\nContent-Type: 0\r\nDate.\r\n", 0, "",
		},
		{
			"invalid length", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "-1")
				w.WriteHeader(200)
			},
			"Status: 200 OK\r\nContent-Length: 0\r\nDate.\r\n", 0, "invalid Content-Length",
		},
		{
			"too short", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "3")
				io.WriteString(w, "ab")
			},
			"Status: 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain; charset=utf-8\r\nDate.\r\nab", 1, "shorter",
		},
		{
			"too long at once", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "3")
				for _, piece := range []string{"a", "bcd", "b"} {
					io.WriteString(w, piece)
				}
			},
			"Status: 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain; charset=utf-8\r\nDate.\r\na", 1, "shorter",
		},
		{
			"superfluous status", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(404)
				w.WriteHeader(200)
			},
			"Status: 404 Not Found\r\nContent-Length: 0\r\nDate.\r\n", 0, "http_response_test.go",
		},
		{
			"superfluous status by way of net/http", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(404)
				http.Redirect(w, r, "/", http.StatusFound)
			},
			"Status: 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 24\r\nDate.\r\n<a href=\"/\">Found</a>.\n\n", 0, "http_response_test.go",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				app := p.serveHTTP(t, tt.handle)
				app.dial(t).ask(1, httpGet()...).expectUndated(t, tt.want, tt.status)
				app.expectLogged(t, tt.logged)
			})
		})
	}
}

// expectUndated wants a request to have ended with that output, where "Date." is the line of the date.
func (a *answer) expectUndated(t testing.TB, stdout string, appStatus uint32) {
	t.Helper()
	got := anyDate.ReplaceAllString(a.stdout.String(), "Date.")
	if got != stdout || a.end != (protocol.EndRequest{AppStatus: appStatus}) {
		t.Errorf("got %+v and\n%q, want\n%q", a.end, got, stdout)
	}
}

// expectLogged wants a line in the log with a word in it, or nothing if there is no word.
func (a *app) expectLogged(t testing.TB, word string) {
	t.Helper()
	if word != "" {
		a.log.expect(t, word)
	} else if log := a.log.String(); log != "" {
		t.Errorf("log: %s", log)
	}
}

// A response of one piece is one record, and its end comes with it.
func TestHTTPOneRecord(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "hello, ")
			io.WriteString(w, "world\n")
		})).dial(t)
		if got := web.ask(1, httpGet()...); got.body() != "hello, world\n" || got.records.String() != "OoE" {
			t.Errorf("got %q in records %s", got.body(), got.records.String())
		}
	})
}

// What is flushed goes out at once, the header before there is a body.
func TestHTTPFlush(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		next := make(chan struct{})
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for _, piece := range []string{"", "a", "b"} {
				io.WriteString(w, piece)
				w.(http.Flusher).Flush()
				<-next
			}
		})).dial(t)
		web.send(get(1, true, httpGet()...))
		for _, want := range []string{"\r\n\r\n", "\r\n\r\na", "\r\n\r\nab"} {
			web.untilStdout(1, want)
			next <- struct{}{}
		}
		web.answer(1).expectUndated(t, "Status: 200 OK\r\nDate.\r\nab", 0)
	})
}

// F4: a panic leaves a response that does not pass for a whole one, and the
// connection as it is.
func TestHTTPPanic(t *testing.T) {
	const page = "Status: 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nInternal Server Error\n"
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		want   string
		status uint32
		logged string
	}{
		{"before", func(http.ResponseWriter, *http.Request) { panic("oops") }, page, 2, "oops"},
		{
			"before it is sent", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "partial")
				panic("oops")
			}, page, 2, "oops",
		},
		{
			"after", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "partial")
				w.(http.Flusher).Flush()
				panic("oops")
			},
			"Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate.\r\npartial", 2, "oops",
		},
		{"abort before", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, page, 1, ""},
		{
			"abort before it is sent", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "partial")
				panic(http.ErrAbortHandler)
			}, page, 1, "",
		},
		{
			"abort after", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "partial")
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
			"Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate.\r\npartial", 1, "",
		},
		{"abort with an appStatus", func(_ http.ResponseWriter, r *http.Request) {
			fastcgi.FromContext(r.Context()).SetAppStatus(9)
			panic(http.ErrAbortHandler)
		}, page, 9, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				app := p.serveHTTP(t, tt.handle)
				web := app.dial(t)
				for range 2 { // the connection lives
					web.ask(1, httpGet()...).expectUndated(t, tt.want, tt.status)
				}
				app.expectLogged(t, tt.logged)
				if counted := app.Stats().Panics > 0; counted != (tt.logged != "") {
					t.Errorf("counted as a panic: %v", counted)
				}
			})
		})
	}
}

// A proxy tells an answer that was cut off from a whole one.
func TestHTTPReverseProxy(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("X-Forwarded-For"), body)
		w.(http.Flusher).Flush()
		if r.URL.Path == "/cut" {
			panic(http.ErrAbortHandler)
		}
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, proxy).dial(t)
		for _, tt := range []struct {
			uri    string
			status uint32
		}{{"/whole", 0}, {"/cut", 1}} {
			web.send(post(1, true, "body", httpGet("REQUEST_METHOD", "POST", "REQUEST_URI", tt.uri)...))
			got := web.answer(1)
			if want := "POST " + tt.uri + " 192.0.2.1 body"; got.body() != want || got.end.AppStatus != tt.status {
				t.Errorf("got %q, %+v, want %q", got.body(), got.end, want)
			}
		}
	})
}
