package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print which fcgi this is",
		GroupID: groupItself,
		Example: "  fcgi version",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}

// version says what the go command wrote into the binary: a release, or the commit where it knows one.
func version() string {
	number := "(unreleased)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		number = info.Main.Version
	}
	return fmt.Sprintf("fcgi %s %s/%s %s", number, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// noArguments is for commands that take flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return misused(fmt.Sprintf("%s takes no arguments, and got %q", cmd.CommandPath(), args[0]), "See: "+cmd.CommandPath()+" --help")
}
