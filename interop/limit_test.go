package interop_test

import "testing"

// A limit is a scenario that a web server cannot do, whatever application is behind it. It stands in the matrix with
// its reason, and the matrix checks it: neither the probe may pass the scenario there, or the limit is out of date, nor
// the peer, which is net/http/fcgi, or the fault is ours.
type limit struct {
	scenario string
	when     func(*site) bool // nil: always
	reason   string           // a sentence without a full stop, which the web server's name could begin
	// sometimes says that the scenario is a matter of luck there, so that passing it once proves nothing.
	sometimes bool
}

// limit returns why a site cannot do a scenario, nil if it can.
func (s *site) limit(scenario string) *limit {
	for i := range s.server.limits {
		l := &s.server.limits[i]
		if l.scenario == scenario && (l.when == nil || l.when(s)) {
			return l
		}
	}
	return nil
}

// Of which sites limits are true, mostly.
func (s *site) buffersRequests() bool  { return s.requestBuffering }
func (s *site) buffersResponses() bool { return s.responseBuffering }
func (s *site) buffersAnything() bool  { return s.requestBuffering || s.responseBuffering }

// attempts is how often a scenario that is a matter of luck is tried.
const attempts = 3

// check fails the test if an application passes the scenario behind the web server.
func (l *limit) check(t *testing.T, s *site, application string) {
	t.Helper()
	sc := findScenario(t, l.scenario)
	tries := 1
	if l.sometimes {
		tries = attempts
	}
	for range tries {
		if failure := try(t, sc, s); failure != "" {
			t.Logf("%s: %s", application, failure)
			return
		}
	}
	if l.sometimes {
		t.Logf("%s was lucky %d times", application, tries)
		return
	}
	t.Errorf("%s passes, so this is no limit of %s: %s", application, s.server.name, l.reason)
}
