package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readCheckout(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestDrawingIsOfTheCode(t *testing.T) {
	tree(t) // see there: the imports of all packages are read by a command
	want := run(t, checkout, nil, "go", "run", "./internal/house/draw", "-")
	if readCheckout(t, "docs/architecture.svg") != want {
		t.Error("docs/architecture.svg does not show the imports as they are: run `go run ./internal/house/draw`, and look at it")
	}
}

// TestLockOrderIsOneText holds the order of locks in docs/architecture.md against that in package engine, word for word.
func TestLockOrderIsOneText(t *testing.T) {
	page := between(t, "docs/architecture.md", "<!-- the order of locks -->", "<!-- end of locks -->")
	comment := between(t, "internal/engine/doc.go", "// # The order of locks", "package engine")
	got, want := slices.DeleteFunc(strings.Fields(page), isMarkup), slices.DeleteFunc(strings.Fields(comment), isMarkup)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("docs/architecture.md and internal/engine/doc.go say different things of locks, from\n%q and\n%q on",
				excerpt(got, i), excerpt(want, i))
		}
	}
}

// between returns what stands in a file behind one line and before another.
func between(t *testing.T, name, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(readCheckout(t, name), begin+"\n")
	text, _, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has nothing between %q and %q", name, begin, end)
	}
	return text
}

func isMarkup(word string) bool { return word == "//" || word == "```" }

func excerpt(words []string, i int) string {
	return strings.Join(words[min(i, len(words)):min(i+8, len(words))], " ")
}

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// named is package.Name, package.Type.Method or package.Type.field.
	named = regexp.MustCompile(`^[a-z]+(\.\w+){1,2}$`)
	// file is a path of the checkout, or the name of a file at its top.
	file = regexp.MustCompile(`^[\w./-]+$`)
)

// missingNames says which of the names in code font on a page are neither files nor something that is declared.
func missingNames(page string, files []string, declared map[string]bool) (missing []string) {
	for _, match := range codeSpan.FindAllStringSubmatch(page, -1) {
		name := match[1]
		var known bool
		switch {
		case slices.Contains(files, name):
			known = true
		case named.MatchString(name) && !isSourceFile(name):
			known = declared[name]
		default:
			known = !file.MatchString(name) // a command, with its blanks
		}
		if !known {
			missing = append(missing, name)
		}
	}
	return missing
}

// isSourceFile reports whether a name is that of a file, and not package.Name.
func isSourceFile(name string) bool {
	return slices.Contains([]string{".go", ".md", ".svg"}, path.Ext(name))
}

func TestArchitectureNamesWhatIsThere(t *testing.T) {
	files := tree(t)
	page := readCheckout(t, "docs/architecture.md")
	for _, name := range missingNames(page, append(files, pageWords...), declarations(t, files)) {
		t.Errorf("docs/architecture.md names %s, which is not there: a file has its whole path, and anything else is package.Name or package.Type.member", name)
	}
}

// pageWords are in code font and neither files nor whole names.
var pageWords = []string{"responded", "webServer", "package.Type.method"}

func TestMissingNamesAreSeen(t *testing.T) {
	files, declared := []string{"server.go", "protocol"}, map[string]bool{"protocol.Conn.Next": true}
	for name, want := range map[string]bool{
		"server.go": false, "gone.go": true, "internal/server.go": true, "protocol": false, "gone": true, "docs/gone.md": true,
		"protocol.Conn.Next": false, "protocol.Conn.Gone": true, "make matrix": false,
	} {
		if got := missingNames("see `"+name+"`.", files, declared); len(got) > 0 != want {
			t.Errorf("`%s`: missing is %v, want %v", name, got, want)
		}
	}
}

// declarations are all names that the module's packages declare outside of tests: package.Name, and package.Type.member
// for methods and fields, those of interfaces included.
func declarations(t *testing.T, files []string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, name := range files {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "examples/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(checkout, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			for _, n := range declaredBy(d) {
				names[f.Name.Name+"."+n] = true
			}
		}
	}
	return names
}

func declaredBy(d ast.Decl) (names []string) {
	if f, ok := d.(*ast.FuncDecl); ok {
		name := f.Name.Name
		if f.Recv != nil {
			name = typeName(f.Recv.List[0].Type) + "." + name
		}
		return []string{name}
	}
	for _, spec := range d.(*ast.GenDecl).Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
			for _, m := range members(s.Type) {
				names = append(names, s.Name.Name+"."+m)
			}
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// typeName is the name of a receiver's type: Conn of *Conn, and of Conn[T].
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// members are the fields of a struct and the methods of an interface.
func members(e ast.Expr) (names []string) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return names
}
