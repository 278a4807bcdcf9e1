package fastcgi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// OnAbort is told of an abort before a stream that fails of it ends the request.
func TestOnAbortWhileStreaming(t *testing.T) {
	piece := strings.Repeat("some of it ", 3000)
	everywhere(t, func(t *testing.T, p place) {
		told := make(chan error, 1)
		a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.OnAbort(func(cause error) { told <- cause })
			fastcgi.SendResponse(ex, 200, "text/plain", func(yield func(string) bool) {
				for yield(piece) {
				}
			})
			ex.Finish(0)
		})})
		w := a.dial(t)
		for range 20 {
			w.send(start(1, true))
			w.untilStdout(1, "some of it")
			// While there is room for more again and again.
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				w.send(abort(1))
			}()
			w.answer(1)
			<-sent
			select {
			case cause := <-told:
				if !errors.Is(cause, fastcgi.ErrAborted) {
					t.Errorf("OnAbort was told %v", cause)
				}
			default:
				t.Fatal("the request ended without a call of OnAbort")
			}
		}
	})
}
