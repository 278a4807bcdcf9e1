package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// helpWidth is where descriptions of flags are wrapped.
const helpWidth = 100

// writeHelp is every command's --help: what it does, how to write it, the details, and examples at the end, which is
// where the eye rests when the prompt is back.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	heading := paintFor(w).heading
	fmt.Fprintf(w, "%s: %s\n\n%s\n  %s\n", heading(cmd.CommandPath()), cmd.Short, heading("Usage"), cmd.UseLine())
	if cmd.Long != "" {
		fmt.Fprintf(w, "\n%s\n", cmd.Long)
	}
	writeCommands(w, cmd)
	cmd.InitDefaultHelpFlag()
	fmt.Fprintf(w, "\n%s\n%s", heading("Flags"), cmd.Flags().FlagUsagesWrapped(helpWidth))
	fmt.Fprintf(w, "\n%s\n%s\n", heading("Examples"), cmd.Example)
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "explain a command",
		Hidden:  true, // --help does the same
		Example: "  fcgi help serve",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noSuchCommand(cmd.Root(), args)
			}
			return topic.Help()
		},
	}
}
