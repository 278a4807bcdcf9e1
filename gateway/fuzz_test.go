package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// relayed is what a client gets of an application's STDOUT; aborted if the
// response was broken off.
func relayed(t *testing.T, stdout string) (w *httptest.ResponseRecorder, aborted bool) {
	var app sync.WaitGroup
	defer app.Wait()
	c := &client.Client{Dial: func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		app.Go(func() {
			fakeapp.Run(t, there, 1, func(a *fakeapp.Conn) {
				if r := a.Request(); r != nil {
					a.Say(r.Answer(stdout))
				}
			})
		})
		return here, nil
	}}
	defer c.Close()
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			aborted = true
		}
	}()
	w = httptest.NewRecorder()
	h := &gateway.Handler{
		Client:        c,
		ErrorLog:      slog.New(slog.NewTextHandler(io.Discard, nil)),
		LocalRedirect: http.NotFoundHandler(),
	}
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w, false
}

// FuzzAnswer holds that whatever an application says on STDOUT, the client gets
// a final status, fields that can be no more than themselves, none that are about
// the connection, and a body of the length that it was told, or sees that it is
// not.
func FuzzAnswer(f *testing.F) {
	for _, tt := range answerTests {
		if len(tt.stdout) < 1<<12 {
			f.Add(tt.stdout)
		}
	}
	f.Fuzz(func(t *testing.T, stdout string) {
		w, aborted := relayed(t, stdout)
		if aborted {
			return
		}
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("status %d", w.Code)
		}
		for name, values := range w.Header() {
			if !cgi.ValidName(name) || slices.ContainsFunc(values, func(v string) bool { return !cgi.ValidValue(v) }) {
				t.Fatalf("field %q: %q", name, values)
			}
		}
		for _, name := range []string{"Connection", "Keep-Alive", "Status", "Transfer-Encoding", "Upgrade"} {
			if w.Header()[name] != nil {
				t.Fatalf("%s: %q", name, w.Header()[name])
			}
		}
		length := w.Header().Get("Content-Length")
		if n, err := strconv.Atoi(length); length != "" && w.Code != 304 && (err != nil || n != w.Body.Len()) {
			t.Fatalf("Content-Length %s, body of %d", length, w.Body.Len())
		}
	})
}
