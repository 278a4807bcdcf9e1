package pocketbase

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/programs"
)

// Module is the application's, at the version that go.mod says.
const Module = "github.com/pocketbase/pocketbase"

// folder is this module's, in the checkout.
const folder = "interop/pocketbase"

// Build builds PocketBase as its authors distribute it, and with its listener's line changed, unless both are there and
// up to date. It returns their paths.
func Build(ctx context.Context, race bool) (original, changed string, err error) {
	root, err := programs.Checkout()
	if err != nil {
		return "", "", err
	}
	dir, err := os.MkdirTemp("", "pocketbase")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	b := build{ctx: ctx, root: root, dir: dir, race: race}
	if err := b.prepare(); err != nil {
		return "", "", err
	}
	if original, err = b.compile("pocketbase"); err != nil {
		return "", "", err
	}
	change := filepath.Join(root, folder, "serve.diff")
	if err := b.run("patch", "--strip=1", "--fuzz=0", "--input", change); err != nil {
		return "", "", err
	}
	changed, err = b.compile("pocketbase-changed")
	return original, changed, err
}

// Source returns the folder where the module proxy's copy of PocketBase is.
func Source(ctx context.Context) (string, error) {
	root, err := programs.Checkout()
	if err != nil {
		return "", err
	}
	out, err := run(ctx, filepath.Join(root, folder), nil, "go", "mod", "download", "-json", Module)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	err = json.Unmarshal(out, &module)
	return module.Dir, err
}

// A build has PocketBase's source in a temporary folder.
type build struct {
	ctx  context.Context
	root string // of the checkout
	dir  string
	race bool
}

func (b *build) source() string    { return filepath.Join(b.dir, "source") }
func (b *build) workspace() string { return filepath.Join(b.dir, "go.work") }

// prepare copies the source, and has it built with this checkout's library.
func (b *build) prepare() error {
	downloaded, err := Source(b.ctx)
	if err != nil {
		return err
	}
	if err := os.CopyFS(b.source(), os.DirFS(downloaded)); err != nil {
		return err
	}
	text := fmt.Sprintf("go 1.25.0\nuse %q\nuse %q\n", b.source(), b.root)
	return os.WriteFile(b.workspace(), []byte(text), 0o600)
}

// compile builds the source as it is now. Trimmed, the result does not depend on where that is, so it can come from the
// build cache, and a program that is up to date is left alone.
func (b *build) compile(name string) (path string, err error) {
	path = programs.Path(b.root, name, b.race)
	err = b.run("go", "build", "-buildvcs=false", "-trimpath",
		fmt.Sprintf("-race=%v", b.race), "-o", path, "./examples/base")
	return path, err
}

// run runs a command in the source to its end.
func (b *build) run(name string, args ...string) error {
	_, err := run(b.ctx, b.source(), []string{"GOWORK=" + b.workspace()}, name, args...)
	return err
}

// run runs a command to its end, and returns what it printed.
func run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", cmd, err, out, complaints.String())
	}
	return out, nil
}
