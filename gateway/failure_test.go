package gateway_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestFailuresBecomeStatuses(t *testing.T) {
	refusing := func(s protocol.Status) func(*fakeapp.Conn) {
		return func(a *fakeapp.Conn) { a.Say(a.Request().End(0, s)) }
	}
	for _, tt := range []struct {
		name   string
		script func(*fakeapp.Conn)
		status int
	}{
		{"C10 OVERLOADED", refusing(protocol.StatusOverloaded), 503},
		{"C10 CANT_MPX_CONN", refusing(protocol.StatusCantMultiplex), 503},
		{"C10 UNKNOWN_ROLE", refusing(protocol.StatusUnknownRole), 500},
		{"C10 status of the future", refusing(99), 502},
		{"C7 EOF", func(a *fakeapp.Conn) { a.Request() }, 502},
		{"C7 EOF in the header", func(a *fakeapp.Conn) { a.Say(a.Request().Stdout("Status: 200\n")) }, 502},
		{"C9 no FastCGI", func(a *fakeapp.Conn) {
			a.Request()
			a.Say([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		}, 502},
		{"refused after a part of the header", func(a *fakeapp.Conn) {
			r := a.Request()
			a.Say(r.Stdout("Status: 200\n"), r.End(0, protocol.StatusOverloaded))
		}, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, tt.script))
			resp, body := f.get(t, "/")
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if want := resp.Status + "\n"; body != want {
				t.Errorf("page %q, want %q", body, want)
			}
			if log := f.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "uri=/ ") {
				t.Errorf("log %q", log)
			}
		})
	}
}

func TestClientIsClosed(t *testing.T) {
	h := &gateway.Handler{}
	f := newFront(t, h, "unix:/nowhere")
	f.app.Close()
	if resp, _ := f.get(t, "/"); resp.StatusCode != 503 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// C3: a field that does not fit into a record.
func TestC3GiantField(t *testing.T) {
	f := scripted(t, &gateway.Handler{}, params)
	for n, want := range map[int]int{client.MaxPairLen - 5 - len("HTTP_X"): 200, client.MaxPairLen - 4 - len("HTTP_X"): 431} {
		r := f.request(t, "GET", "/", nil)
		r.Header.Set("X", strings.Repeat("x", n))
		resp, _, err := f.do(t, r)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%d bytes: %v, %v", n, resp, err)
		}
	}
}

// A response that broke off must not look whole.
func TestC7BrokenResponse(t *testing.T) {
	for name, script := range map[string]func(*fakeapp.Conn){
		"EOF": func(a *fakeapp.Conn) { a.Say(a.Request().Stdout("Content-Type: a/b\n\npart")) },
		"overloaded": func(a *fakeapp.Conn) {
			r := a.Request()
			a.Say(r.Stdout("Content-Type: a/b\n\npart"), r.End(0, protocol.StatusOverloaded))
		},
	} {
		f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, script))
		resp, body, err := f.do(t, f.request(t, "GET", "/", nil))
		if resp == nil || resp.StatusCode != 200 || body != "part" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, %q, %v", name, resp, body, err)
		}
	}
}

// The exit status is for those who started the program; web servers ignore it.
func TestAppStatusIsNoFailure(t *testing.T) {
	f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, func(a *fakeapp.Conn) {
		r := a.Request()
		a.Say(r.Stdout("Content-Type: a/b\n\nok"), r.End(3, protocol.StatusRequestComplete))
	}))
	if resp, body := f.get(t, "/"); resp.StatusCode != 200 || body != "ok" {
		t.Errorf("%d, %q", resp.StatusCode, body)
	}
}

// quiet is a handler for bubbles of synctest, in front of an application that
// follows script.
func quiet(t *testing.T, h *gateway.Handler, script func(*fakeapp.Conn)) *gateway.Handler {
	h.ErrorLog = slog.New(slog.DiscardHandler)
	done := make(chan struct{})
	c := &client.Client{Dial: func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer close(done)
			fakeapp.Run(t, there, 1, script)
		}()
		return here, nil
	}}
	h.Client = c
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	return h
}

func TestResponseHeaderTimeout(t *testing.T) {
	const instant = time.Nanosecond
	answerAfter := func(d time.Duration) func(*fakeapp.Conn) {
		return func(a *fakeapp.Conn) {
			r := a.Request()
			time.Sleep(d)
			a.Say(r.Answer("Status: 200\n\n"))
		}
	}
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		script  func(*fakeapp.Conn)
		body    io.Reader
		status  int
	}{
		{"default, just in time", 0, answerAfter(gateway.DefaultResponseHeaderTimeout - instant), nil, 200},
		{"default, too late", 0, answerAfter(gateway.DefaultResponseHeaderTimeout + instant), nil, 504},
		{"in time", time.Second, answerAfter(time.Second - instant), nil, 200},
		{"too late", time.Second, answerAfter(time.Second + instant), nil, 504},
		{"no limit", -1, answerAfter(time.Hour), nil, 200},
		{"half a header", time.Second, func(a *fakeapp.Conn) {
			a.Say(a.Request().Stdout("Status: 200\n"))
			a.AwaitClose()
		}, nil, 504},
		{"body not taken", time.Second, func(a *fakeapp.Conn) {
			a.Begin()
			time.Sleep(time.Hour)
		}, strings.NewReader(strings.Repeat("x", 1<<20)), 504},
		{"a slow client's body does not count", time.Second, answerAfter(0), &slowReader{n: 100}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := quiet(t, &gateway.Handler{ResponseHeaderTimeout: tt.timeout}, tt.script)
				w := httptest.NewRecorder()
				r := httptest.NewRequest("POST", "/", tt.body)
				if _, slow := tt.body.(*slowReader); slow {
					r.ContentLength = 100
				}
				h.ServeHTTP(w, r)
				if w.Code != tt.status {
					t.Errorf("status %d, want %d", w.Code, tt.status)
				}
			})
		})
	}
}

// A slowReader takes its time for each byte.
type slowReader struct{ n int }

func (r *slowReader) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	r.n--
	time.Sleep(10 * time.Second)
	p[0] = 'x'
	return 1, nil
}

// C12: a client that goes away takes its request along, wherever that is.
func TestC12ClientGoesAway(t *testing.T) {
	for name, script := range map[string]func(*fakeapp.Conn, *fakeapp.Request){
		"before the header": func(*fakeapp.Conn, *fakeapp.Request) {},
		"in the header":     func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.Stdout("Status: 200\n")) },
		"in the body":       func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.Stdout("Status: 200\n\nsome")) },
	} {
		t.Run(name, func(t *testing.T) {
			asked, closed := make(chan struct{}), make(chan error, 1)
			f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, func(a *fakeapp.Conn) {
				script(a, a.Request())
				close(asked)
				closed <- a.AwaitClose()
			}))
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-asked
				leave()
			}()
			resp, err := f.Client().Do(f.request(t, "GET", "/", nil).WithContext(ctx))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if err := <-closed; err != nil {
				t.Error(err)
			}
			f.Close()
			if log := f.log.String(); strings.Contains(log, "level=ERROR") {
				t.Errorf("log %q", log)
			}
		})
	}
}
