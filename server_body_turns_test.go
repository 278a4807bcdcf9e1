package fastcgi_test

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// F6: a body that has piled up is given to its handler in turns, with what else is to be done on the loop between them.
func TestF6TurnsOfBody(t *testing.T) {
	const size, most = 8 << 20, 2 << 20
	everywhere(t, func(t *testing.T, p place) {
		exchanges := make(chan fastcgi.Exchange, 2)
		a := p.serve(t, async(exchanges))
		w := a.dial(t)
		w.send(start(1, true), start(2, true)) // so that it goes to disk
		ex, other := receive(t, exchanges), receive(t, exchanges)
		for range size / (1 << 15) {
			w.send(stdin(1, strings.Repeat("x", 1<<15)))
		}
		w.send(stdinEnd(1))
		eventually(t, "the body is there", func() bool { return a.Stats().SpooledBytes+a.Stats().BufferedBytes >= size })
		var got, since int
		done := make(chan struct{})
		ex.OnBody(func(chunk []byte, last bool) {
			if since == 0 {
				ex.Loop().Post(func() { since = 0 })
			}
			got += len(chunk)
			if since += len(chunk); since > most {
				t.Errorf("%d bytes came before others had their turn", since)
			}
			if last {
				close(done)
			}
		})
		receive(t, done)
		if got != size {
			t.Errorf("got %d bytes of %d", got, size)
		}
		ex.Finish(0)
		other.Finish(0)
		w.answer(1)
		w.answer(2)
	})
}
