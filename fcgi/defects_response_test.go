package fcgi_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

var responseDefects = []difference{
	{
		what: "`WriteHeader(103)`, then `WriteHeader(200)`", want: "status 200",
		run: respond(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
		}, describe),
	},
	{
		what: "`Flush` before the first `Write`", want: "the header is sent",
		run: inBubble(func(t *testing.T, impl implementation) string {
			release := make(chan struct{})
			defer close(release)
			w := impl.start(t, func(w http.ResponseWriter, _ *http.Request) {
				w.(http.Flusher).Flush()
				<-release
			})
			w.send(get(1))
			if w.answer(1).stdout == "" {
				return "nothing is sent"
			}
			return "the header is sent"
		}),
	},
	{
		what: "A body of 5 bytes for HEAD", holds: "G7", want: "0 bytes are sent",
		run: respond(hello, bodySize, "REQUEST_METHOD", "HEAD"),
	},
	{
		what: "A body of 5 bytes with status 204", holds: "G7", want: "0 bytes are sent",
		run: respond(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusNoContent)
			hello(w)
		}, bodySize),
	},
	{
		what: "A body of 5 bytes with a `Content-Length` of 3", holds: "G7", want: "0 bytes are sent, appStatus 1",
		run: respond(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "3")
			hello(w)
		}, func(a answer) string { return bodySize(a) + appStatus(a) }),
	},
	{
		what: "A body of 3 bytes with a `Content-Length` of 5", holds: "G7", want: "appStatus 1",
		run: respond(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "abc")
		}, func(a answer) string { return "appStatus " + fmt.Sprint(a.ends[0].AppStatus) }),
	},
	{
		what: "`Content-Length` of a short answer", holds: "G7", want: "5",
		run: respond(hello, func(a answer) string { return cmp.Or(strings.Join(a.field("Content-Length"), ", "), "none") }),
	},
	{
		what: "A handler sets the field `Status`", holds: "G4", want: "200 OK",
		run: respond(func(w http.ResponseWriter) {
			w.Header().Set("Status", "500")
			hello(w)
		}, func(a answer) string { return strings.Join(a.field("Status"), " and ") }),
	},
	{
		what: "A handler sets `Transfer-Encoding`, which is the web server's", holds: "G6", want: "left out",
		run: respond(func(w http.ResponseWriter) {
			w.Header().Set("Transfer-Encoding", "chunked")
			hello(w)
		}, func(a answer) string {
			if len(a.field("Transfer-Encoding")) == 0 {
				return "left out"
			}
			return "sent"
		}),
	},
	{
		what: "A response has `Location` and the status 307: HAProxy makes a 302 of it, if `Status` comes first", holds: "W1",
		want: "`Location` comes first",
		run: respond(func(w http.ResponseWriter) {
			w.Header().Set("Location", "/there")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, func(a answer) string {
			name, _, _ := strings.Cut(a.stdout, ":")
			return "`" + name + "` comes first"
		}),
	},
	{
		what: "The status text of 413", holds: "W21", want: "Content Too Large",
		run: respond(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}, func(a answer) string { return strings.TrimPrefix(a.status(), "413 ") }),
	},
	{
		what: "`http.CloseNotifier`, without which gin's `Stream` panics", holds: "W3", want: "there",
		run: asked(func(w http.ResponseWriter) string {
			if _, ok := w.(interface{ CloseNotify() <-chan bool }); !ok {
				return "missing"
			}
			return "there"
		}),
	},
	{
		what: "`http.ResponseController.SetWriteDeadline`, as for events", holds: "W3, W10", want: "kept",
		run: asked(func(w http.ResponseWriter) string {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
				return err.Error()
			}
			return "kept"
		}),
	},
	{
		what: "A line for the web server's log: `fastcgi.FromContext(ctx).Stderr()`", holds: "A38", want: "on FCGI_STDERR",
		run: beyond(func(r *fastcgi.Request) { io.WriteString(r.Stderr(), "a line") }, func(a answer) string {
			if a.stderr == "a line" {
				return "on FCGI_STDERR"
			}
			return "not possible"
		}),
	},
	{
		what: "An appStatus: `fastcgi.FromContext(ctx).SetAppStatus(3)`", holds: "A36", want: "appStatus 3",
		run: beyond(func(r *fastcgi.Request) { r.SetAppStatus(3) }, func(a answer) string {
			return "appStatus " + fmt.Sprint(a.ends[0].AppStatus)
		}),
	},
}

func hello(w http.ResponseWriter) { io.WriteString(w, "hello") }

func bodySize(a answer) string { return fmt.Sprint(len(a.body()), " bytes are sent") }

func appStatus(a answer) string {
	if a.ends[0].AppStatus == 0 {
		return ""
	}
	return fmt.Sprint(", appStatus ", a.ends[0].AppStatus)
}

// respond tells something of the answer that a handler gives.
func respond(h func(http.ResponseWriter), see func(answer) string, pairs ...string) func(*testing.T, implementation) string {
	return inBubble(func(t *testing.T, impl implementation) string {
		w := impl.start(t, func(w http.ResponseWriter, _ *http.Request) { h(w) })
		w.send(get(1, pairs...))
		a := w.answer(1)
		if len(a.ends) != 1 {
			t.Fatalf("the request ended %d times", len(a.ends))
		}
		return see(a)
	})
}

// asked tells what a handler finds that its ResponseWriter can do.
func asked(ask func(http.ResponseWriter) string) func(*testing.T, implementation) string {
	return inBubble(func(t *testing.T, impl implementation) (got string) {
		w := impl.start(t, func(w http.ResponseWriter, _ *http.Request) { got = ask(w) })
		w.send(get(1))
		return got
	})
}

// beyond tells what comes of what net/http has no word for. With net/http/fcgi there is no request to say it to.
func beyond(do func(*fastcgi.Request), see func(answer) string) func(*testing.T, implementation) string {
	return inBubble(func(t *testing.T, impl implementation) string {
		w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
			if request := fastcgi.FromContext(r.Context()); request != nil {
				do(request)
			}
		})
		w.send(get(1))
		return see(w.answer(1))
	})
}
