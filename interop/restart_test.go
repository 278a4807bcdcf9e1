package interop_test

import (
	"net/http"
	"os"
	"testing"
)

// restarts is how often the web server reloads, or the application restarts, under load.
const restarts = 3

// reloadUnderLoad has the web server read its configuration again. Every request is answered, by the old processes or
// by the new ones.
func reloadUnderLoad(t testing.TB, s *site) {
	if s.server.reload == nil {
		t.Fatal("the web server cannot reload")
	}
	s.underLoad(t, func() { s.server.reload(t, s) })
}

// F9: what is sent meanwhile waits for the new process of the application.
func restartUnderLoad(t testing.TB, s *site) {
	if s.restart == nil {
		t.Fatal("nobody can restart the application")
	}
	s.underLoad(t, func() { s.restart(t) })
}

// underLoad does something again and again while clients ask. What they send may be sent twice, if need be.
func (s *site) underLoad(t testing.TB, do func()) {
	t.Helper()
	load := s.keepAsking(t, http.MethodGet)
	defer load.stop()
	for range restarts {
		load.awaitSome(t)
		do()
	}
	load.awaitSome(t)
}

// reloadOn returns a webServer's reload that sends a signal.
func reloadOn(signal os.Signal) func(testing.TB, *site) {
	return func(t testing.TB, s *site) {
		t.Helper()
		if err := s.process.cmd.Process.Signal(signal); err != nil {
			t.Error(err)
		}
	}
}
