package interop_test

import (
	"net/http"
	"os"
	"strings"
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

// reloadOn returns a webServer's reload that sends a signal and, while the load goes on, waits for the error log to say
// that it has had its effect.
func reloadOn(signal os.Signal, says ...string) func(testing.TB, *site) {
	return func(t testing.TB, s *site) {
		t.Helper()
		said := func(text string) int { return strings.Count(s.place.read(t, "error.log"), text) }
		before := make(map[string]int)
		for _, text := range says {
			before[text] = said(text)
		}
		if err := s.process.cmd.Process.Signal(signal); err != nil {
			t.Error(err)
		}
		for text, n := range before {
			eventually(t, "the error log says once more: "+text, func() bool { return said(text) > n })
		}
	}
}
