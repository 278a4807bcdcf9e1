package interop_test

import (
	"cmp"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// A setup is one way in which a web server runs applications: a column of the matrix.
type setup struct {
	name string
	cgi  bool // every request has a process of its own, which has no driver and nothing to race with
	// site runs an application and the web server until the end of the test.
	site func(t *testing.T, p *place, app application) *site
}

// matrix puts applications of every kind, in every setup of a web server, through all scenarios.
func (w *webServer) matrix(t *testing.T, setups ...setup) {
	t.Parallel()
	w.find(t)
	peer := buildPeer(t)
	for i, su := range setups {
		probe := su.buildProbe(t)
		t.Run(su.name, func(t *testing.T) {
			for _, app := range su.applications(probe, i) {
				t.Run(app.String(), func(t *testing.T) { app.runScenarios(t, su, i == 0 && app.first && !su.cgi) })
			}
			t.Run("limits", func(t *testing.T) { w.checkLimits(t, su, probe, peer) })
		})
	}
}

func (su *setup) buildProbe(t *testing.T) string {
	t.Helper()
	if su.cgi {
		return buildQuickProbe(t)
	}
	return buildProbe(t)
}

// applications returns the kinds of applications for a web server's setup number i. The first has all of them, the
// others have each kind of handlers once, with either driver in turn: this finds what matters in a tenth of the time.
func (su *setup) applications(probe string, i int) []application {
	var apps []application
	for d, driver := range drivers() {
		for m, mode := range modes {
			if i == 0 && !su.cgi || (i+m)%len(drivers()) == d {
				apps = append(apps, application{
					program: probe, args: []string{"-driver", driver, "-mode", mode}, driver: driver, mode: mode, first: len(apps) == 0,
				})
			}
		}
	}
	return apps
}

// runScenarios puts an application through all scenarios, one of them perhaps with its whole load, and records how it went.
func (app application) runScenarios(t *testing.T, su setup, wholeLoad bool) {
	s := su.site(t, newPlace(t), app)
	s.mode, s.wholeLoad = app.mode, wholeLoad
	for _, l := range s.server.limits {
		findScenario(t, l.scenario)
	}
	version := s.server.version(t)
	for i := range scenarios {
		sc := &scenarios[i]
		cell := interop.Cell{
			Server: s.server.name, Column: cmp.Or(s.server.title, s.server.name), Version: version, Setup: su.name,
			Driver: app.driver, Mode: app.mode, Scenario: sc.name,
		}
		switch l := s.limit(sc.name); {
		case l != nil:
			cell.Outcome, cell.Reason = interop.Limit, l.reason
		case sc.once && !app.first:
			continue
		default:
			cell.Outcome = interop.Fail
			s.learned = 0
			said, begin := len(s.place.read(t, "error.log")), time.Now()
			if t.Run(sc.name, func(t *testing.T) { sc.run(t, s) }) {
				cell.Outcome = interop.Pass
			} else {
				t.Logf("error log of %s meanwhile:\n%s", s.server.name, tail(s.place.read(t, "error.log")[said:]))
			}
			cell.Seconds, cell.Learned = time.Since(begin).Seconds(), s.learned.Seconds()
		}
		record(t, matrixFile, cell)
	}
}

// checkLimits fails the test unless what a setup of the web server cannot do is so, for the probe and for the peer. Each
// scenario has a site of its own, because requests that are left behind may be noticed later.
func (w *webServer) checkLimits(t *testing.T, su setup, probe, peer string) {
	able := su.site(t, newPlace(t), application{program: probe})
	for name, app := range map[string]application{
		"the probe": {program: probe, disposable: true},
		"the peer":  {program: peer, disposable: true},
	} {
		for _, sc := range scenarios {
			if l := able.limit(sc.name); l != nil {
				t.Run(sc.name+", "+name, func(t *testing.T) {
					t.Parallel() // they wait most of the time
					l.check(t, su.site(t, newPlace(t), app), name)
				})
			}
		}
	}
}
