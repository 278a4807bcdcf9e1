package fcgi_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// A difference is something that the two do not do alike. Each has a row in docs/migrating.md.
type difference struct {
	what  string // happens, for the page
	holds string // the requirements that say so; empty where no number does
	issue int    // of golang/go; 0 if it has none
	want  string // what comes of it here
	run   func(t *testing.T, impl implementation) string
}

// differences are all that are known, as the page has them: the defects of net/http/fcgi, and then what is a choice.
var differences = []struct {
	title string
	list  []difference
}{
	{"The process", processDefects},
	{"Limits", limitDefects},
	{"Requests", requestDefects},
	{"Bodies and cancellation", bodyDefects},
	{"Responses", responseDefects},
	{"The protocol", protocolDefects},
	{"Different on purpose", choices},
}

// inBubble has a run take place in a bubble of testing/synctest: what is going to happen has happened once web.send
// returns, and hours pass at once.
func inBubble(run func(t *testing.T, impl implementation) string) func(*testing.T, implementation) string {
	return func(t *testing.T, impl implementation) (got string) {
		synctest.Test(t, func(t *testing.T) { got = run(t, impl) })
		return got
	}
}

// Each defect shows with net/http/fcgi, does not show here, and is on the page with what both do. A release of Go that
// mends one fails the test.
func TestDifferences(t *testing.T) {
	var p pageTables
	for _, section := range differences {
		p.section(section.title)
		for _, d := range section.list {
			t.Run(strings.TrimSpace(d.holds+" "+d.what), func(t *testing.T) {
				theirs, here := d.run(t, standard), d.run(t, ours)
				p.row(d, theirs, here)
				if here != d.want {
					t.Errorf("here: %q, want %q", here, d.want)
				}
				if theirs == d.want {
					t.Errorf("net/http/fcgi of %s has mended this, it does as we do: %q.\n"+
						"Take the case out of its table, and update the page with -update.", runtime.Version(), theirs)
				}
			})
		}
	}
	t.Run("page", p.check)
}
