package house_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fragmentFrame is what stands around a fragment of a page: imports, and the names that fragments take from the text
// around them. What of it a fragment does not need is no error.
const fragmentFrame = `package page

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
	"github.com/simple-fastcgi/fastcgi/gateway"
)

var (
	b      *client.Balancer
	ctx    context.Context
	mux    *http.ServeMux
	router http.Handler
	w      http.ResponseWriter
	r      *http.Request
	events chan string
	ex     fastcgi.Exchange
	h      fastcgi.AsyncHandler
	hello  fastcgi.Handler
	poll   fastcgi.Handler
	srv    *fastcgi.Server
	app    *client.Client
	t      *testing.T
	req    *fastcgitest.Request

	slowAnswer func() string
)
`

// checkedElsewhere are words of the fragments that use packages of others, and the module that builds them.
var checkedElsewhere = map[string]string{
	"chi.NewRouter":    "interop/routers",
	"websocket.Accept": "interop/websocket",
}

// What the README and the pages print of Go is Go, and means what it did when it was written: every fragment passes the
// type checker. That a variable is not used, or declared anew by the next example, is no fault of one.
func TestPagesPrintGo(t *testing.T) {
	imports := exportData(t, fragmentFrame)
	for _, page := range append(glob(t, "docs", "*.md"), filepath.Join(checkout, "README.md")) {
		for i, block := range goBlock.FindAllStringSubmatch(readAll(t, page), -1) {
			if strings.Contains("\n"+block[1], "\npackage ") || builtElsewhere(block[1]) {
				continue
			}
			t.Run(fmt.Sprint(filepath.Base(page), "/", i), func(t *testing.T) {
				if fatalRun.MatchString(block[1]) {
					t.Errorf("Run returns nil after SIGTERM, which log.Fatal takes for a failure:\n%s", block[1])
				}
				for _, err := range checkFragment(t, block[1], imports) {
					t.Errorf("%v\n%s", err, block[1])
				}
			})
		}
	}
}

// fatalRun ends a program that was told to end with status 1, so that whoever keeps it running starts it again.
var fatalRun = regexp.MustCompile(`log\.Fatal\(.*\.Run\(`)

func builtElsewhere(fragment string) bool {
	for words := range checkedElsewhere {
		if strings.Contains(fragment, words) {
			return true
		}
	}
	return false
}

// A fragment that does not compile is found.
func TestCheckFragment(t *testing.T) {
	imports := exportData(t, fragmentFrame)
	for _, tt := range []struct {
		fragment string
		errs     int
	}{
		{"srv := &fastcgi.Server{}\nsrv := &fastcgi.Server{}", 0},
		{"func Test(t *testing.T) {}", 0},
		{"srv := &fastcgi.Server{Nothing: 1}", 1},
		{"fastcgi.Nothing()\nnothing()", 2},
		{"srv.Run()", 1},
	} {
		if errs := checkFragment(t, tt.fragment, imports); len(errs) != tt.errs {
			t.Errorf("%s\nhas the errors %v, want %d", tt.fragment, errs, tt.errs)
		}
	}
}

// checkFragment returns what the type checker has against declarations, or against statements.
func checkFragment(t *testing.T, fragment string, imports map[string]string) (errs []error) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", fragmentFrame+"\n"+fragment+"\n", 0)
	if err != nil {
		file, err = parser.ParseFile(fset, "", fragmentFrame+"\nfunc _() {\n"+fragment+"\n}\n", 0)
	}
	if err != nil {
		return []error{err}
	}
	config := types.Config{
		Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(imports[path]) }),
		Error: func(err error) {
			if e, ok := err.(types.Error); !ok || !e.Soft {
				errs = append(errs, err)
			}
		},
	}
	_, _ = config.Check("page", fset, []*ast.File{file}, nil) // its error is the first of errs
	return errs
}

// exportData returns the files that tell the compiler about packages: those that a file imports, and what they import.
func exportData(t *testing.T, source string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, spec := range file.Imports {
		list = append(list, strings.Trim(spec.Path.Value, `"`))
	}
	files := make(map[string]string)
	for line := range strings.Lines(run(t, checkout, nil, "go", list...)) {
		path, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = name
	}
	return files
}
