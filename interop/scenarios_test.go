package interop_test

import (
	"slices"
	"testing"
)

// concurrency is how many requests are under way when many are.
const concurrency = 64

// A scenario is what an application is put through behind every web server, in every setup: a row of the matrix. What a
// web server cannot do is one of its limits.
type scenario struct {
	name string
	run  func(testing.TB, *site)
	// once says that the scenario takes long and has little to do with the kind of application: one of a setup's does.
	once bool
}

var scenarios = []scenario{
	{name: "parameters", run: parameters},
	{name: "paths", run: paths},
	{name: "%2F in a path", run: pathEncodedSlash},
	{name: "%FF in a path", run: pathNotUTF8},
	{name: "%0A in a path", run: pathLineBreak},
	{name: "two slashes in a path", run: pathDoubleSlash},
	{name: "headers", run: headers},
	{name: "repeated headers", run: repeatedHeaders},
	{name: "underscores in headers", run: underscoreHeaders},
	{name: "methods", run: methods},
	{name: "form", run: form},

	{name: "upload of 100 MB", run: uploadLarge, once: true},
	{name: "upload of unknown length", run: uploadUnknownLength},
	{name: "upload that is not read", run: uploadIgnored},
	{name: "response of 10 MB", run: download},
	{name: "echo of 4 MB", run: echo},
	{name: "conversation", run: conversation},

	{name: "stream", run: stream},
	{name: "stream, chunk by chunk", run: streamArrives},

	{name: "HEAD", run: head},
	{name: "204 and 304", run: noBody},
	{name: "errors", run: statuses},
	{name: "panic before the answer", run: panicBefore},
	{name: "panic within the answer", run: panicWithin},
	{name: "appStatus", run: appStatus},
	{name: "redirect", run: redirect},
	{name: "local redirect", run: localRedirect},
	{name: "stderr", run: stderr},

	{name: "client leaves a silent request", run: leaveSilent},
	{name: "client leaves within its upload", run: leaveUpload},
	{name: "client leaves within the response", run: leaveResponse},

	{name: "many requests, 64 at once", run: manyRequests},
	{name: "web server reloads under load", run: reloadUnderLoad},
	{name: "application restarts under load", run: restartUnderLoad}, // the last: the probe forgets what it has counted
}

// runScenarios puts a site through all that can be done there, outside of the matrix. They run one after another,
// because some watch what all requests together leave behind.
func runScenarios(t *testing.T, s *site) {
	for _, sc := range scenarios {
		if s.limit(sc.name) == nil {
			t.Run(sc.name, func(t *testing.T) { sc.run(t, s) })
		}
	}
}

// runScenario puts a site through one of them.
func runScenario(t *testing.T, s *site, name string) {
	t.Helper()
	sc := findScenario(t, name)
	t.Run(name, func(t *testing.T) { sc.run(t, s) })
}

func findScenario(t *testing.T, name string) *scenario {
	t.Helper()
	i := slices.IndexFunc(scenarios, func(sc scenario) bool { return sc.name == name })
	if i < 0 {
		t.Fatalf("there is no scenario %q", name)
	}
	return &scenarios[i]
}
