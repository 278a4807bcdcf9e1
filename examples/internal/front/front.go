package front

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Front is a web server with one application behind it.
type Front struct {
	// Client is what it speaks to the application with.
	Client *client.Client
	// Path is the application's socket.
	Path string
}

// newFront makes a Front for a socket that does not exist yet.
func newFront(t testing.TB) *Front {
	t.Helper()
	// Not t.TempDir: with a long test name in it, the path would not fit into
	// a socket address.
	dir, err := os.MkdirTemp("", "front")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "app.sock")
	f := &Front{Client: &client.Client{Addr: "unix:" + path}, Path: path}
	t.Cleanup(func() {
		f.Client.Close()
		os.RemoveAll(dir)
	})
	return f
}

// Serve runs srv in this process until the end of the test.
func Serve(t testing.TB, srv *fastcgi.Server) *Front {
	t.Helper()
	f := newFront(t)
	l, err := fastcgi.Listen("unix:"+f.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; err != fastcgi.ErrServerClosed {
			t.Errorf("Serve returned %v", err)
		}
		if err := srv.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("Shutdown returned %v", err)
		}
	})
	return f
}

// An Answer is what the application sent for one request.
type Answer struct {
	Stdout    string // the CGI response, as it is
	Stderr    string
	AppStatus uint32
}

// Header returns the header of the CGI response, without the empty line.
func (a Answer) Header() string {
	header, _, _ := strings.Cut(a.Stdout, "\r\n\r\n")
	return header
}

// Body returns the body of the CGI response.
func (a Answer) Body() string {
	_, body, _ := strings.Cut(a.Stdout, "\r\n\r\n")
	return body
}

// Do sends a request and returns its answer, which must be complete.
func (f *Front) Do(t testing.TB, req *client.Request) Answer {
	t.Helper()
	var stderr strings.Builder
	req.Stderr = &stderr
	resp, err := f.Client.Do(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	stdout, err := io.ReadAll(resp)
	if err != nil {
		t.Fatalf("the answer breaks off after %d bytes: %v", len(stdout), err)
	}
	end, err := resp.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return Answer{string(stdout), stderr.String(), end.AppStatus}
}

// Get sends a GET request with a query.
func (f *Front) Get(t testing.TB, query string, params ...client.Pair) Answer {
	t.Helper()
	return f.Do(t, Get(query, params...))
}

// Get is the request of a GET with a query.
func Get(query string, params ...client.Pair) *client.Request {
	return &client.Request{Params: append([]client.Pair{
		{Name: "GATEWAY_INTERFACE", Value: "CGI/1.1"},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "SERVER_NAME", Value: "front.example"},
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "REQUEST_URI", Value: "/?" + query},
		{Name: "SCRIPT_NAME", Value: "/"},
		{Name: "QUERY_STRING", Value: query},
	}, params...)}
}

// Ask sends a request in a role without a body.
func (f *Front) Ask(t testing.TB, role protocol.Role, params ...client.Pair) Answer {
	t.Helper()
	return f.Do(t, &client.Request{Role: role, Params: params})
}
