package interop_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// An httpCase is a request, and a handler that must not be able to tell whether net/http serves it or this library does.
// Nor must the client.
type httpCase struct {
	name   string
	method string // GET if it is empty
	uri    string // / if it is empty
	header http.Header
	body   string
	length bodyLength
	// handler is noteAll if it is nil. Its notes are what it noticed.
	handler func(w http.ResponseWriter, r *http.Request) (notes []any)
	// everywhere says that the case is for every web server: see likeNetHTTP.
	everywhere bool

	differs []difference
	varies  []difference // what may be as in net/http or not, from one time to the next
}

// webServers are all fronts that are one.
const webServers = "gateway nginx apache caddy lighttpd haproxy"

// A bodyLength is how the client announces its body.
type bodyLength int

const (
	announced bodyLength = iota // with Content-Length, if there is a body
	unknown                     // in chunks
	expecting                   // with Content-Length, once the server says "100 Continue"
)

// A difference is what is not as in net/http, on purpose. A case fails if it is as in net/http after all.
type difference struct {
	fronts string // names; all if it is empty
	what   string // a key of an outcome, or "response" for all that the client sees
	why    string
}

// httpCases is all of them.
func httpCases() []httpCase {
	return slices.Concat(requestCases, bodyCases, responseCases, statusCases, handlerCases, fileCases, middlewareCases, endingCases)
}

// serveAs is the handler of a case that is one of net/http's.
func serveAs(h http.Handler) func(http.ResponseWriter, *http.Request) []any {
	return func(w http.ResponseWriter, r *http.Request) []any {
		h.ServeHTTP(w, r)
		return nil
	}
}

// An outcome is what the client and the handler saw, under names: "status", "body", "end" (how the response ended),
// "informational", "notes", "trailer NAME", and header fields under their own.
type outcome map[string]string

// TestLikeNetHTTP asks the same handlers in net/http, in this library alone, and in this library behind the gateway and
// behind web servers.
func TestLikeNetHTTP(t *testing.T) {
	t.Parallel()
	cases := httpCases()
	if len(cases) < 60 {
		t.Fatalf("%d cases", len(cases))
	}
	reference := netHTTP(t, cases)
	want := make(map[string]outcome)
	for _, c := range cases {
		want[c.name] = reference.ask(t, c)
	}
	all := maps.Clone(fronts)
	maps.Copy(all, linuxFronts)
	for name, start := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, cases)
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) { c.compare(t, name, want[c.name], f.ask(t, c)) })
			}
		})
	}
}

// compare holds the outcome behind a front against that in net/http.
func (c httpCase) compare(t *testing.T, front string, want, got outcome) {
	t.Helper()
	if lists(c.differs, front, "response") {
		if got["status"] == want["status"] && got["end"] == want["end"] {
			t.Error("the response is as in net/http, but listed as a difference")
		}
		want, got = want.noticed(), got.noticed()
	}
	whats := maps.Clone(want)
	maps.Copy(whats, got)
	for _, what := range slices.Sorted(maps.Keys(whats)) {
		g, inGot := got[what]
		w, inWant := want[what]
		if added[front][what] != "" && !inWant {
			continue
		}
		if lists(c.varies, front, what) {
			continue
		}
		same, listed := g == w && inGot == inWant, lists(c.differs, front, what)
		if same == listed {
			t.Errorf("%s is\n%s\nin net/http\n%s\nlisted as a difference: %v", what, shown(g, inGot), shown(w, inWant), listed)
		}
	}
}

// noticed is an outcome without the response.
func (o outcome) noticed() outcome { return outcome{"notes": o["notes"]} }

// lists reports whether a difference is one of some.
func lists(differences []difference, front, what string) bool {
	return slices.ContainsFunc(differences, func(d difference) bool {
		return d.what == what && (d.fronts == "" || slices.Contains(strings.Fields(d.fronts), front))
	})
}

func shown(value string, there bool) string {
	if !there {
		return "not there"
	}
	return fmt.Sprintf("%.800q", value)
}

// Every difference has a reason, and is about a front that there is.
func TestDifferencesAreExplained(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, c := range httpCases() {
		if names[c.name] {
			t.Errorf("%s: there are two of the name", c.name)
		}
		names[c.name] = true
		for _, d := range slices.Concat(c.differs, c.varies) {
			for _, f := range strings.Fields(d.fronts) {
				if !slices.Contains(strings.Fields(frontNames), f) {
					t.Errorf("%s: there is no front %q", c.name, f)
				}
			}
			if d.why == "" {
				t.Errorf("%s: the difference of %s has no reason", c.name, d.what)
			}
		}
	}
}
