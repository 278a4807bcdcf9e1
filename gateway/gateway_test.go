package gateway_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// A front is a web server with a gateway, and an application behind it.
type front struct {
	*httptest.Server
	app *client.Client
	log lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newFront serves h, in front of the application that listens on addr.
func newFront(t *testing.T, h *gateway.Handler, addr string) *front {
	t.Helper()
	f := &front{app: &client.Client{}}
	if h.Client != nil {
		f.app = h.Client.(*client.Client)
	}
	f.app.Addr = addr
	h.Client = f.app
	h.ErrorLog = slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f.Server = httptest.NewServer(h)
	t.Cleanup(func() {
		f.Server.Close()
		f.app.Close()
		if t.Failed() {
			t.Log(f.log.String())
		}
	})
	return f
}

// scripted serves a gateway in front of an application that answers each request
// by answer, which returns what it says on STDOUT.
func scripted(t *testing.T, h *gateway.Handler, answer func(r *fakeapp.Request) string) *front {
	t.Helper()
	return newFront(t, h, fakeapp.Start(t, func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			a.Say(r.Answer(answer(r)))
		}
	}))
}

// do sends a request and returns the response with its body read.
func (f *front) do(t *testing.T, r *http.Request) (*http.Response, string, error) {
	t.Helper()
	resp, err := f.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (f *front) request(t *testing.T, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// get fails the test unless there is a whole response.
func (f *front) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	resp, body, err := f.do(t, f.request(t, "GET", path, nil))
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// unsized hides the length of a body, so that it is sent in chunks.
func unsized(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

// echo answers with the body of the request.
func echo(r *fakeapp.Request) string { return "Content-Type: text/plain\n\n" + r.Stdin }

// kept is a client that keeps its connections.
func kept() *client.Client { return &client.Client{KeepConn: true} }
