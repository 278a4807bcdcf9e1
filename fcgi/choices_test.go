package fcgi_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// choices are what nobody calls a defect of net/http/fcgi. Most are what net/http's own server does.
var choices = []difference{
	{
		what: "A request that is none of HTTP's, as without a method", want: "status 400",
		run: inspect(func(*http.Request) string { return passedOn }, "REQUEST_METHOD", ""),
	},
	{
		what: "A variable `HTTP_…` that is empty", want: "no header field",
		run: inspect(func(r *http.Request) string {
			if _, ok := r.Header["Referer"]; ok {
				return "a header field"
			}
			return "no header field"
		}, "HTTP_REFERER", ""),
	},
	{
		what: "Changes to the map of `ProcessEnv`, in its next one", want: "left out",
		run: func(t *testing.T, impl implementation) string {
			return inspect(func(r *http.Request) string {
				impl.processEnv(r)["OURS"] = "seen"
				return cmp.Or(impl.processEnv(r)["OURS"], "left out")
			})(t, impl)
		},
	},
	{
		what: "Reading a body after `Close`", want: "http: invalid Read on closed Body",
		run: afterBody(func(r *http.Request) string {
			r.Body.Close()
			_, err := r.Body.Read(make([]byte, 1))
			return fmt.Sprint(err)
		}, "body"),
	},
	{
		what: "Reading the body, which came whole, of a request aborted since", holds: "A31",
		want: "0 bytes, then: fcgi: request aborted by web server",
		run: inBubble(func(t *testing.T, impl implementation) (got string) {
			release := make(chan struct{})
			w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
				<-release
				got = readAll(r)
			})
			w.send(open(1), stdin(1, "body"))
			w.send(stdin(1, ""))
			w.send(abort(1))
			close(release)
			synctest.Wait()
			return got
		}),
	},
	{
		what: "The header goes out, unless `Flush` or the end comes first", want: "when 32 KiB are waiting",
		run: inBubble(func(t *testing.T, impl implementation) string {
			step := make(chan struct{})
			defer close(step)
			w := impl.start(t, func(w http.ResponseWriter, _ *http.Request) {
				for range step {
					io.WriteString(w, "a")
				}
			})
			w.send(get(1))
			n := 0
			for ; w.answer(1).stdout == ""; n++ {
				step <- struct{}{}
				synctest.Wait()
			}
			if n == 1 {
				return "with the first `Write`"
			}
			return fmt.Sprintf("when %d KiB are waiting", (n+1023)>>10)
		}),
	},
	{
		what: "`Content-Type` of an answer without a body", want: "none",
		run: respond(func(w http.ResponseWriter) { io.WriteString(w, "") }, func(a answer) string {
			return cmp.Or(strings.Join(a.field("Content-Type"), ", "), "none")
		}),
	},
	{
		what: "The listener when `Serve` returns", want: "closed",
		run: func(_ *testing.T, impl implementation) string {
			l := broken{newListener()}
			_ = impl.serve(l, http.NotFoundHandler()) // why is not the question
			select {
			case <-l.closed:
				return "closed"
			default:
				return "open"
			}
		},
	},
}

// A broken listener never accepts.
type broken struct{ *listener }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("broken") }
