package fastcgi_test

import (
	"io"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// An async handler changes the protocol with no goroutine held: after 101, OnBody is what the client says, whatever
// CONTENT_LENGTH was, and what is written and flushed is what it hears.
func TestAsyncUpgrade(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		web := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			io.WriteString(ex, "Status: 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			ex.Flush()
			ex.OnBody(func(chunk []byte, last bool) {
				ex.Write(chunk)
				ex.Flush()
				if last {
					ex.Finish(0)
				}
			})
		})}).dial(t)
		web.send(httpUpgrade(1))
		web.untilStdout(1, "\r\n\r\n")
		said := ""
		for _, piece := range []string{"a", strings.Repeat("b", 30_000), "c"} {
			said += piece
			web.send(stdin(1, piece))
			web.untilStdout(1, "\r\n\r\n"+said)
		}
		web.send(stdinEnd(1))
		if got := web.answer(1); got.body() != said || got.status() != 101 || got.end.AppStatus != 0 {
			t.Errorf("status %d, %d bytes, %+v", got.status(), len(got.body()), got.end)
		}
	})
}
