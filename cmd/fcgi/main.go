// Command fcgi runs FastCGI applications and shows what they do.
//
// It sits on top of the whole module and nobody imports it. main.go starts it, root.go lists the subcommands, and
// each subcommand has its own file, with more where it needs them: serve.go, serve_log.go.
package main

import (
	"context"
	"io"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// run is the tool: it does what the arguments ask for and returns the exit code. What it was asked for goes to stdout,
// everything else to stderr. When ctx is done, it ends as on a first Ctrl-C.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		return report(stderr, err)
	}
	return exitOK
}
