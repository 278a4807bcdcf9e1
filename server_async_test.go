package fastcgi_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A request that an async handler finished although it had given it away is
// over: the next one on its connection is not touched.
func TestAsyncAndFinish(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		inside, leave, left := make(chan bool), make(chan bool), make(chan bool)
		first := fastcgi.Async(fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			inside <- true
			<-leave
			_, err := w.Write([]byte("late"))
			left <- err == fastcgi.ErrFinished
		}))
		a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			if ex.Params().Get("N") == "1" {
				first.ServeAsync(ex)
				<-inside
				ex.Finish(7)
				return
			}
			ex.OnBody(func(_ []byte, last bool) {
				if last {
					ex.Write([]byte("second"))
					ex.Finish(0)
				}
			})
		})})
		w := a.dial(t)
		w.send(get(1, true, "N", "1"))
		if got := w.answer(1); got.end.AppStatus != 7 || got.body() != "" {
			t.Errorf("the first request ended with %+v, %q", got.end, got.body())
		}
		w.send(start(1, true, "N", "2"))
		eventually(t, "the second request is there", func() bool { return a.Stats().Requests == 2 && a.Stats().ActiveRequests == 1 })
		close(leave)
		if !receive(t, left) {
			t.Error("a handler could write to a request that was finished")
		}
		w.send(stdinEnd(1))
		w.answer(1).expect(t, "second")
	})
}
