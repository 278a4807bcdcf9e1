// Package programs builds the programs of this checkout that tests start. They are under bin/programs, where
// `make programs` puts them before the tests; a test builds one itself if it is not there, or older than its source.
// Only tests import it, and the command below it, which is that step of make.
package programs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Program is what the go command makes of a package of the library's module.
type Program struct {
	name   string   // of its file
	args   []string // of the go command; the last is the package
	env    []string // beside this process's
	raced  bool     // with the race detector, if the test has it
	output func() (string, error)
}

var (
	// Probe is the reference application, and QuickProbe the same without the race
	// detector, which a process that serves one request would take longer to start
	// than to serve.
	Probe      = program(Program{name: "probe", args: []string{"build", "./examples/probe"}, raced: true})
	QuickProbe = program(Program{name: "probe", args: []string{"build", "./examples/probe"}})
	// Echo and Dirlist are the examples that do what simple_fastcgi's own do.
	Echo    = program(Program{name: "echo", args: []string{"build", "./examples/echo"}, raced: true})
	Dirlist = program(Program{name: "dirlist", args: []string{"build", "./examples/dirlist"}, raced: true})
	// Peer does what Probe does and has nothing of ours.
	Peer = program(Program{name: "peer", args: []string{"build", "./interop/peer"}})
	// Tool is the command fcgi.
	Tool = program(Program{name: "fcgi", args: []string{"build", "./cmd/fcgi"}})
	// FCGI386 is the test binary of package fcgi, for linux on a processor with ints of 32 bits.
	FCGI386 = program(Program{
		name: "fcgi386.test", args: []string{"test", "-c", "./fcgi"},
		env: []string{"GOOS=linux", "GOARCH=386", "CGO_ENABLED=0", "GOFLAGS="},
	})
)

var all = []*Program{Probe, QuickProbe, Echo, Dirlist, Peer, Tool, FCGI386}

func program(p Program) *Program {
	p.output = sync.OnceValues(func() (string, error) { return p.build(context.Background(), RaceDetector()) })
	return &p
}

// Build builds the program unless it is up to date, and returns its path.
func (p *Program) Build(t testing.TB) string {
	t.Helper()
	path, err := p.output()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// BuildAll builds every program: with race, as tests need them that have the race detector themselves.
func BuildAll(ctx context.Context, race bool) error {
	for _, p := range all {
		path, err := p.build(ctx, race)
		if err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}

// build has the go command decide what is to be done: it leaves a program alone that it would build again as it is.
func (p *Program) build(ctx context.Context, race bool) (string, error) {
	root, err := Checkout()
	if err != nil {
		return "", err
	}
	race = race && p.raced
	path := Path(root, p.name, race)
	args := slices.Insert(slices.Clone(p.args), len(p.args)-1,
		"-buildvcs=false", fmt.Sprintf("-race=%v", race), "-o", path)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), p.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return path, nil
}

// Path is where a program is in the checkout at root.
func Path(root, name string, race bool) string {
	dir := "plain"
	if race {
		dir = "race"
	}
	return filepath.Join(root, "bin", "programs", dir, name+".exe") // which one name has to end in, and others may
}

// Checkout returns the root of the library's module, from any folder within.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if strings.HasPrefix(string(text), "module github.com/simple-fastcgi/fastcgi\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("this is no checkout of github.com/simple-fastcgi/fastcgi")
		}
		dir = parent
	}
}

// RaceDetector reports whether this program was built with -race.
func RaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
