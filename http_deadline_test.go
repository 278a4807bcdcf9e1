package fastcgi_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// W10: what net/http documents of http.ResponseController's deadlines. A deadline that has passed is final: what was
// written behind it would leave a hole in the response.
func TestW10Deadlines(t *testing.T) {
	const past, future = -10 * time.Second, time.Hour
	for name, test := range map[string]struct {
		handler func(t *testing.T, w http.ResponseWriter, r *http.Request, c *http.ResponseController)
		want    string
		status  uint32
	}{
		"a write deadline that has passed is final": {func(t *testing.T, w http.ResponseWriter, _ *http.Request, c *http.ResponseController) {
			io.WriteString(w, "one")
			expectNoError(t, c.Flush())
			expectNoError(t, c.SetWriteDeadline(time.Now().Add(past)))
			io.WriteString(w, "two")
			expectOverdue(t, "Flush behind it", c.Flush())
			expectNoError(t, c.SetWriteDeadline(time.Time{}))
			io.WriteString(w, "three")
			expectOverdue(t, "Flush after it was reset", c.Flush())
			expectNoError(t, c.SetWriteDeadline(time.Now().Add(future)))
			_, err := w.Write([]byte("four"))
			expectOverdue(t, "Write after it was moved", err)
		}, "one", 1},
		"a write deadline that has not come may be moved": {func(t *testing.T, w http.ResponseWriter, _ *http.Request, c *http.ResponseController) {
			for _, d := range []time.Duration{time.Second, future} {
				expectNoError(t, c.SetWriteDeadline(time.Now().Add(d)))
			}
			time.Sleep(2 * time.Second)
			io.WriteString(w, "one")
			expectNoError(t, c.Flush())
			expectNoError(t, c.SetWriteDeadline(time.Time{}))
			io.WriteString(w, "two")
			expectNoError(t, c.Flush())
		}, "onetwo", 0},
		"one that comes while nothing is written counts": {func(t *testing.T, w http.ResponseWriter, _ *http.Request, c *http.ResponseController) {
			io.WriteString(w, "one")
			expectNoError(t, c.Flush())
			expectNoError(t, c.SetWriteDeadline(time.Now().Add(time.Second)))
			time.Sleep(2 * time.Second)
			expectNoError(t, c.SetWriteDeadline(time.Time{}))
			expectOverdue(t, "Flush", c.Flush())
		}, "one", 1},
		"a read deadline that has passed is final": {func(t *testing.T, w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			expectNoError(t, c.SetReadDeadline(time.Now().Add(past)))
			_, err := io.ReadAll(r.Body)
			expectOverdue(t, "reading", err)
			expectNoError(t, c.SetReadDeadline(time.Time{}))
			_, err = io.ReadAll(r.Body)
			expectOverdue(t, "reading after it was reset", err)
			io.WriteString(w, "answered")
		}, "answered", 0},
		"a read deadline that has not come may be moved": {func(t *testing.T, w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			expectNoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
			expectNoError(t, c.SetReadDeadline(time.Time{}))
			time.Sleep(2 * time.Second)
			body := make([]byte, 4)
			_, err := io.ReadFull(r.Body, body)
			expectNoError(t, err)
			w.Write(body)
		}, "body", 0},
		"deadlines of reading and writing are two": {func(t *testing.T, w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			expectNoError(t, c.SetReadDeadline(time.Now().Add(past)))
			io.WriteString(w, "written")
			expectNoError(t, c.Flush())
		}, "written", 0},
		"full duplex needs nothing": {func(t *testing.T, w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			expectNoError(t, c.EnableFullDuplex())
			io.WriteString(w, "well")
		}, "well", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inBubble.serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					test.handler(t, w, r, http.NewResponseController(w))
				}))}).dial(t)
				w.send(start(1, true, httpGet("REQUEST_METHOD", "POST", "CONTENT_LENGTH", "1000")...), stdin(1, "body"))
				if got := w.answer(1); got.body() != test.want || got.end.AppStatus != test.status {
					t.Errorf("the answer is %q, %+v", got.body(), got.end)
				}
			})
		})
	}
}

func expectNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("the error is %v", err)
	}
}

func expectOverdue(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s returned %v", what, err)
	}
}

// W3: every optional interface that net/http's own ResponseWriter has is there.
func TestW3Interfaces(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		gone := make(chan bool, 1)
		w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, has := range map[string]bool{
				"Flusher":       is[http.Flusher](w),
				"Hijacker":      is[http.Hijacker](w),
				"ReaderFrom":    is[io.ReaderFrom](w),
				"StringWriter":  is[io.StringWriter](w),
				"CloseNotifier": is[interface{ CloseNotify() <-chan bool }](w),
				"FlushError":    is[interface{ FlushError() error }](w),
				"deadlines": is[interface {
					SetReadDeadline(time.Time) error
					SetWriteDeadline(time.Time) error
				}](w),
				"EnableFullDuplex": is[interface{ EnableFullDuplex() error }](w),
			} {
				if !has {
					t.Errorf("it has no %s", name)
				}
			}
			gone <- <-w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		}))}).dial(t)
		w.send(start(1, true, httpGet()...))
		w.Close()
		if !receive(t, gone) {
			t.Error("CloseNotify sent false")
		}
	})
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}
