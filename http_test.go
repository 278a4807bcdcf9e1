package fastcgi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An httpRig is a server with an http.Handler, and a client of it.
type httpRig struct {
	client *client.Client
	log    *syncBuffer
}

// newHTTPRig serves h on a Unix socket until the end of the test.
func newHTTPRig(tb testing.TB, h http.Handler) *httpRig {
	tb.Helper()
	rig := &httpRig{log: new(syncBuffer)}
	addr := filepath.Join(tb.TempDir(), "socket")
	l, err := net.Listen("unix", addr)
	if err != nil {
		tb.Fatal(err)
	}
	server := &fastcgi.Server{
		Handler:  fastcgi.HTTP(h),
		ErrorLog: slog.New(slog.NewTextHandler(rig.log, nil)),
	}
	rig.client = &client.Client{Addr: "unix:" + addr, KeepConn: true}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	tb.Cleanup(func() {
		rig.client.Close()
		server.Close()
		serving.Wait()
	})
	return rig
}

// An httpAnswer is all that a web server gets.
type httpAnswer struct {
	stdout, stderr string
	end            protocol.EndRequest
}

// do asks, and returns the whole answer.
func (rig *httpRig) do(tb testing.TB, body io.Reader, params ...client.Param) httpAnswer {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	var stderr bytes.Buffer
	resp, err := rig.client.Do(ctx, &client.Request{Params: params, Stdin: body, Stderr: &stderr})
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Close()
	stdout, err := io.ReadAll(resp)
	if err != nil {
		tb.Fatal(err)
	}
	end, err := resp.Wait()
	if err != nil {
		tb.Fatal(err)
	}
	return httpAnswer{string(stdout), stderr.String(), end}
}

// get are the parameters of GET /, with others that replace or follow them.
func get(more ...client.Param) []client.Param {
	params := []client.Param{
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "REQUEST_URI", Value: "/"},
		{Name: "HTTP_HOST", Value: "example.com"},
		{Name: "REMOTE_ADDR", Value: "192.0.2.1"},
		{Name: "REMOTE_PORT", Value: "1234"},
		{Name: "CONTENT_LENGTH", Value: ""},
	}
	for _, p := range more {
		i := slices.IndexFunc(params, func(q client.Param) bool { return q.Name == p.Name })
		if i < 0 {
			params = append(params, p)
			continue
		}
		params[i] = p
	}
	return params
}

// A syncBuffer is a log.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestHTTPFromContext(t *testing.T) {
	rig := newHTTPRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fr := fastcgi.FromContext(r.Context())
		io.WriteString(fr.Stderr(), "to the log")
		fr.SetAppStatus(7)
		io.WriteString(w, fr.Role.String()+" "+fr.Params.Get("X"))
	}))
	got := rig.do(t, nil, get(client.Param{Name: "X", Value: "y"})...)
	if got.stderr != "to the log" || got.end.AppStatus != 7 || !strings.HasSuffix(got.stdout, "\r\n\r\nRESPONDER y") {
		t.Errorf("got %+v", got)
	}
	if fastcgi.FromContext(t.Context()) != nil {
		t.Error("a request came out of a context that has none")
	}
}
