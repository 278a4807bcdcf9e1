//go:build linux

package harness

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Main is a benchmark's main function. run's context ends with the first signal to stop, and its error is told under the
// program's name.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

// Checkout returns the root of the checkout that this is run in, as the command says.
func Checkout(command string) (root string, err error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	root = filepath.Dir(strings.TrimSpace(string(mod)))
	if err != nil || root == "." {
		return "", fmt.Errorf("this is not in a checkout: run it from one, as in %s", command)
	}
	return root, nil
}
