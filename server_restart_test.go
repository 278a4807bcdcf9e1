package fastcgi_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// F9: a connection that was accepted is served, even if Shutdown comes before its request. A socket that outlives the
// process, as one of systemd's does, then loses nothing: what is not accepted waits for the next process.
func TestF9ShutdownServesWhatWasAccepted(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(echoSync)})
		w := a.dial(t)
		eventually(t, "the connection is accepted", func() bool { return a.Stats().OpenConns == 1 })
		done := make(chan error, 1)
		go func() { done <- a.Shutdown(t.Context()) }()
		a.served <- receive(t, a.served) // nothing is accepted any more

		w.send(post(1, true, "body"))
		if got := w.answer(1); got.status() != 200 {
			t.Errorf("the answer is %+v", got)
		}
		w.expectEOF()
		if err := receive(t, done); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}
