package engine

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

var updatePage = flag.Bool("update", false, "write the tables of states into docs/architecture.md")

const architecturePage = "../../docs/architecture.md"

// TestStatesPage holds the tables of docs/architecture.md against those of the code: what a state or an event is comes
// from its comment, where it leads from connTable and table.
func TestStatesPage(t *testing.T) {
	text, err := os.ReadFile(architecturePage)
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), "\r\n", "\n")
	for heading, section := range map[string]string{
		"connection": connSection(t),
		"request":    exchangeSection(t),
	} {
		begin, end := "<!-- states of a "+heading+" -->\n", "<!-- end of states -->"
		before, rest, ok := strings.Cut(page, begin)
		got, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("docs/architecture.md has no part between %q and %q", begin, end)
		}
		if got != section && !*updatePage {
			t.Errorf("docs/architecture.md says something else of a %s's states than the code.\n"+
				"Run `go test ./internal/engine -run TestStatesPage -update`; it is to say\n%s", heading, section)
		}
		page = before + begin + section + end + after
	}
	if *updatePage {
		if err := os.WriteFile(architecturePage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func connSection(t *testing.T) string {
	what, events := constComments(t, "connstate.go", "connState"), constComments(t, "connstate.go", "connEvent")
	var rows []stateRow
	for s := connFresh; s < connStates; s++ {
		r := stateRow{name: s.String(), what: what[s]}
		for ev := range connEvents {
			r.add(ev, s, connTable[s][ev], connTable[s][ev] == 0)
		}
		rows = append(rows, r)
	}
	return section(rows, connEventNames[:], events)
}

func exchangeSection(t *testing.T) string {
	what, events := constComments(t, "exchangestate.go", "state"), constComments(t, "exchangestate.go", "event")
	var rows []stateRow
	for s := range states {
		r := stateRow{name: s.String(), what: what[s]}
		for ev := range evRelease + 1 {
			r.add(ev, s, table[s][ev], table[s][ev] == impossible)
		}
		rows = append(rows, r)
	}
	return section(rows, eventNames[:], events)
}

// A stateRow says where the events of one state lead.
type stateRow struct {
	name, what string
	targets    []string            // in the order of the first event that leads there
	leads      map[string][]string // events, by target
	never      []string            // events that cannot happen
}

func (r *stateRow) add(ev, from, to fmt.Stringer, never bool) {
	switch {
	case never:
		r.never = append(r.never, ev.String())
	case to.String() != from.String():
		if r.leads == nil {
			r.leads = make(map[string][]string)
		}
		if r.leads[to.String()] == nil {
			r.targets = append(r.targets, to.String())
		}
		r.leads[to.String()] = append(r.leads[to.String()], ev.String())
	}
}

// section is what the page says of states and events.
func section(rows []stateRow, names, comments []string) string {
	var b strings.Builder
	b.WriteString("| State | What it is | Leads to | Cannot happen |\n|---|---|---|---|\n")
	for _, r := range rows {
		var leads []string
		for _, to := range r.targets {
			leads = append(leads, strings.Join(r.leads[to], ", ")+" → **"+to+"**")
		}
		fmt.Fprintf(&b, "| **%s** | %s | %s | %s |\n", r.name, r.what, strings.Join(leads, "; "), strings.Join(r.never, ", "))
	}
	b.WriteString("\n| Event | What has happened |\n|---|---|\n")
	for i, name := range names {
		fmt.Fprintf(&b, "| %s | %s |\n", name, comments[i])
	}
	return b.String()
}

// constComments returns the comments behind the constants of a type, by value.
func constComments(t *testing.T, file, typeName string) (comments []string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST && declares(g, typeName) {
			for _, s := range g.Specs {
				comments = append(comments, strings.TrimSpace(s.(*ast.ValueSpec).Comment.Text()))
			}
			return comments
		}
	}
	t.Fatalf("%s has no constants of type %s", file, typeName)
	return nil
}

// declares reports whether the first of some constants is of a type.
func declares(g *ast.GenDecl, typeName string) bool {
	id, ok := g.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident)
	return ok && id.Name == typeName
}
