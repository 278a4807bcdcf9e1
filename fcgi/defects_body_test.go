package fcgi_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var bodyDefects = []difference{
	{
		what: "The web server aborts a request, of which it has sent everything", holds: "A31", want: "the context is cancelled",
		run: contextAfter(stdin(1, ""), func(w *web) { w.send(abort(1)) }),
	},
	{
		what: "The web server aborts a request while it sends the body", holds: "A31", want: "the context is cancelled",
		run: contextAfter(nil, func(w *web) { w.send(abort(1)) }),
	},
	{
		what: "The web server goes away, as nginx does when its client does", holds: "A33, F3", want: "the context is cancelled",
		run: contextAfter(stdin(1, ""), func(w *web) { w.Close() }),
	},
	{
		what: "The web server waits for an answer before it sends the body", holds: "A39", want: "status 200",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			w.send(open(1, "CONTENT_LENGTH", "1"))
			if a := w.answer(1); a.stdout != "" {
				return describe(a)
			}
			return "the handler is not started"
		}),
	},
	{
		what: "`CONTENT_LENGTH` is missing, as with chunked bodies", want: "ContentLength -1",
		run: afterBody(func(r *http.Request) string { return fmt.Sprint("ContentLength ", r.ContentLength) }, "body"),
	},
	{
		what: "The body is shorter than `CONTENT_LENGTH`", holds: "A40", want: "4 bytes, then: unexpected EOF",
		run: afterBody(readAll, "body", "CONTENT_LENGTH", "5"),
	},
	{
		what: "The body is longer than `CONTENT_LENGTH`", holds: "A40", want: "3 bytes, then: EOF",
		run: afterBody(readAll, "body", "CONTENT_LENGTH", "3"),
	},
	{
		what: "A handler does not read its body; another request shares the connection", holds: "F7", want: "the other is answered",
		run: inBubble(func(t *testing.T, impl implementation) string {
			release := make(chan struct{})
			defer close(release)
			w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					<-release
				}
			})
			w.send(open(1, "REQUEST_METHOD", "POST"), stdin(1, "unread"))
			w.send(get(2))
			if len(w.answer(2).ends) == 0 {
				return "the other waits"
			}
			return "the other is answered"
		}),
	},
	{
		what: "A form has a file that `ParseMultipartForm` puts on disk", holds: "F12", want: "it is removed after the request",
		run: func(t *testing.T, impl implementation) string {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			got := afterBody(func(r *http.Request) string {
				if err := r.ParseMultipartForm(1); err != nil {
					return err.Error()
				}
				return r.MultipartForm.File["f"][0].Filename
			}, form, "REQUEST_METHOD", "POST", "CONTENT_TYPE", "multipart/form-data; boundary=xyz")(t, impl)
			files, err := os.ReadDir(dir)
			if got != "name" || err != nil {
				t.Fatalf("the form was read as %q; %v", got, err)
			}
			if len(files) > 0 {
				return "it is left there"
			}
			return "it is removed after the request"
		},
	},
}

const form = "--xyz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"name\"\r\n\r\nfile\r\n--xyz--\r\n"

// contextAfter tells whether a handler's context is cancelled when something happens.
func contextAfter(body []byte, happen func(w *web)) func(*testing.T, implementation) string {
	return inBubble(func(t *testing.T, impl implementation) string {
		release := make(chan struct{})
		defer close(release)
		got := "the context lives"
		w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
			// A first piece of the body is what net/http/fcgi starts a handler on.
			if _, err := io.ReadFull(r.Body, make([]byte, 1)); err != nil {
				t.Error(err)
			}
			select {
			case <-r.Context().Done():
				got = "the context is cancelled"
			case <-release:
			}
		})
		w.send(open(1), stdin(1, "b"), body)
		happen(w)
		synctest.Wait()
		return got
	})
}

// afterBody tells what a handler sees of a request that has sent its body.
func afterBody(see func(*http.Request) string, body string, pairs ...string) func(*testing.T, implementation) string {
	return inBubble(func(t *testing.T, impl implementation) (got string) {
		w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) { got = see(r) })
		w.send(begin(1, protocol.RoleResponder, keep), params(1, pairs...), stdin(1, body))
		w.send(stdin(1, ""))
		return got
	})
}

func readAll(r *http.Request) string {
	var n int
	buf := make([]byte, 100)
	for {
		k, err := r.Body.Read(buf)
		n += k
		if err != nil {
			return fmt.Sprintf("%d bytes, then: %v", n, err)
		}
	}
}
