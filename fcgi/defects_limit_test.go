package fcgi_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var limitDefects = []difference{
	{
		what: "A connection says nothing", holds: "F2", want: "closed after 5s",
		run: inBubble(func(t *testing.T, impl implementation) string { return lifetime(impl.start(t, refuse)) }),
	},
	{
		what: "The parameters of a request never end", holds: "F1", want: "status 408, appStatus 1",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, refuse)
			w.send(begin(1, protocol.RoleResponder, keep), stream(protocol.TypeParams, 1, "\x01"))
			time.Sleep(time.Hour)
			return cmp.Or(describe(w.answer(1)), "waits for ever")
		}),
	},
	{
		what: "A kept connection has no further request", holds: "F2", want: "closed after 1m0s",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			w.send(get(1))
			return lifetime(w)
		}),
	},
	{
		what: "A kept connection has no further request, but records for requests that have ended", holds: "W14",
		want: "closed after 1m0s",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			w.send(get(1))
			for time.Since(w.opened) < time.Hour && w.gone() == 0 {
				w.send(abort(1))
				time.Sleep(time.Second)
			}
			return lifetime(w)
		}),
	},
	{
		what: "The body stops before its end", holds: "W6", want: "`Read` fails after 1m0s",
		run: inBubble(func(t *testing.T, impl implementation) string {
			got := "`Read` waits for ever"
			w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
				start := time.Now()
				if _, err := io.ReadAll(r.Body); err != nil && time.Since(start) < time.Hour {
					got = fmt.Sprintf("`Read` fails after %v", time.Since(start).Round(time.Second))
				}
			})
			w.send(open(1, "CONTENT_LENGTH", "1000"), stdin(1, "abc"))
			time.Sleep(time.Hour)
			synctest.Wait()
			return got
		}),
	},
	{
		what: "The web server does not read the answer", holds: "F5", want: "`Write` fails after 1m0s",
		run: inBubble(func(t *testing.T, impl implementation) string {
			near, far := net.Pipe()
			defer near.Close()
			got := "`Write` waits for ever"
			impl.serveConn(t, far, func(w http.ResponseWriter, _ *http.Request) {
				start := time.Now()
				for range 1000 {
					if _, err := w.Write(make([]byte, 1000)); err != nil && time.Since(start) < time.Hour {
						got = fmt.Sprintf("`Write` fails after %v", time.Since(start).Round(time.Second))
					}
				}
			})
			if _, err := near.Write(get(1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			return got
		}),
	},
	{
		what: "1,000 requests are begun on a connection, and none goes on", holds: "A35, F6", issue: 81548,
		want: "100 wait, 900 are told OVERLOADED",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, refuse)
			for id := range uint16(1000) {
				w.send(begin(id+1, protocol.RoleResponder, keep))
			}
			refused := 0
			for _, r := range w.records() {
				if end, err := protocol.ParseEndRequest([]byte(r.content)); err == nil && end.Status == protocol.StatusOverloaded {
					refused++
				}
			}
			return fmt.Sprintf("%d wait, %d are told OVERLOADED", 1000-refused, refused)
		}),
	},
	{
		what: "A request has 8 MiB of parameters", holds: "F11", want: "status 431, appStatus 1",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			large := strings.Repeat("v", 32<<10)
			w.send(get(1, slices.Repeat([]string{"NAME", large}, 256)...))
			return describe(w.answer(1))
		}),
	},
}

// refuse is the handler where none should be called.
func refuse(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }

// lifetime says what becomes of a connection on which the web server is silent from now on.
func lifetime(w *web) string {
	time.Sleep(time.Hour)
	if after := w.gone(); after != 0 {
		return fmt.Sprint("closed after ", after.Round(time.Second))
	}
	return "open after an hour"
}
