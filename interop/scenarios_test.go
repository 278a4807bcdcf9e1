package interop_test

import (
	"slices"
	"testing"
)

// concurrency is how many requests are under way when many are.
const concurrency = 64

// A scenario is what an application is put through behind every web server, in every combination of settings.
type scenario struct {
	name string
	run  func(*testing.T, *site)
	// unless says of which sites the scenario makes no sense; nil: of none.
	unless func(*site) bool
}

var scenarios = []scenario{
	{name: "parameters", run: parameters},
	{name: "paths", run: paths},
	{name: "headers", run: headers},
	{name: "repeated headers", run: repeatedHeaders},
	{name: "methods", run: methods},
	{name: "form", run: form},

	{name: "upload of 100 MB", run: uploadLarge, unless: (*site).secondInTurn},
	{name: "upload of unknown length", run: uploadUnknownLength},
	{name: "upload that is not read", run: uploadIgnored},
	{name: "response of 10 MB", run: download},
	{name: "echo of 4 MB", run: echo, unless: (*site).halfDuplex},
	{name: "conversation", run: conversation, unless: (*site).buffersAnything},

	{name: "stream", run: stream},
	{name: "stream, chunk by chunk", run: streamArrives, unless: (*site).buffersResponses},

	{name: "HEAD", run: head},
	{name: "no body", run: noBody},
	{name: "errors", run: statuses},
	{name: "panic before the answer", run: panicBefore},
	{name: "panic within the answer", run: panicWithin},
	{name: "appStatus", run: appStatus},
	{name: "redirects", run: redirects},
	{name: "stderr", run: stderr},

	{name: "client leaves a silent request", run: leaveSilent},
	{name: "client leaves within its upload", run: leaveUpload, unless: (*site).buffersRequests},
	{name: "client leaves within the response", run: leaveResponse},

	{name: "many requests", run: manyRequests},
}

func (s *site) halfDuplex() bool       { return s.server.halfDuplex }
func (s *site) buffersRequests() bool  { return s.requestBuffering }
func (s *site) buffersResponses() bool { return s.responseBuffering }
func (s *site) buffersAnything() bool  { return s.requestBuffering || s.responseBuffering }

// secondInTurn picks every other combination, for what takes long and has little to do with keep-alive.
func (s *site) secondInTurn() bool { return s.keepAlive == s.requestBuffering }

// runScenarios puts a site through all that makes sense there. They run one after another, because some watch what
// all requests together leave behind.
func runScenarios(t *testing.T, s *site) {
	for _, sc := range scenarios {
		if sc.unless == nil || !sc.unless(s) {
			t.Run(sc.name, func(t *testing.T) { sc.run(t, s) })
		}
	}
}

// runScenario puts a site through one of them.
func runScenario(t *testing.T, s *site, name string) {
	t.Helper()
	i := slices.IndexFunc(scenarios, func(sc scenario) bool { return sc.name == name })
	if i < 0 {
		t.Fatalf("there is no scenario %q", name)
	}
	t.Run(name, func(t *testing.T) { scenarios[i].run(t, s) })
}
