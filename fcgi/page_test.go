package fcgi_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/migrating.md")

const (
	page      = "../docs/migrating.md"
	pageBegin = "<!-- What follows is written by: go test ./fcgi -run TestDifferences -update -->\n"
	pageEnd   = "<!-- End of what is written -->\n"
)

// pageTables are the tables of docs/migrating.md in the making.
type pageTables struct {
	text strings.Builder
	rows int
}

func (p *pageTables) section(title string) {
	fmt.Fprintf(&p.text, "\n### %s\n\n| | `net/http/fcgi` | here |\n|---|---|---|\n", title)
}

func (p *pageTables) row(d difference, theirs, here string) {
	what := d.what
	if d.issue != 0 {
		what += fmt.Sprintf(" ([#%d](https://go.dev/issue/%[1]d))", d.issue)
	}
	fmt.Fprintf(&p.text, "| %s | %s | %s |\n", what, theirs, here)
	p.rows++
}

// check compares the page with the tables, or writes them.
func (p *pageTables) check(t *testing.T) {
	all := 0
	for _, section := range differences {
		all += len(section.list)
	}
	if p.rows < all {
		t.Skip("the page is compared when every case has run")
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, hasBegin := strings.Cut(string(text), pageBegin)
	_, after, hasEnd := strings.Cut(rest, pageEnd)
	if !hasBegin || !hasEnd {
		t.Fatalf("%s has no place for the tables", page)
	}
	want := before + pageBegin + p.text.String() + "\n" + pageEnd + after
	switch {
	case want == string(text):
	case *update:
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s does not say what running both tells: -update writes it\n%s", page, p.text.String())
	}
}
