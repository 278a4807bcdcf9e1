package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The groups of subcommands; each one's newX names its own.
const (
	groupApplications = "applications"
	groupItself       = "itself"
)

// newRoot puts the tool together. Every subcommand is listed here.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "fcgi COMMAND",
		Short: "run FastCGI applications, and see what they do",
		Example: `  fcgi serve -- ./app
  fcgi serve --help`,
		Version: version(),
		Args:    noSuchCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return welcome(cmd) },

		SuggestionsMinimumDistance: 2,
		DisableFlagsInUseLine:      true,
		SilenceErrors:              true, // run reports them
		SilenceUsage:               true, // a remedy says more
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		what, _, _ := strings.Cut(err.Error(), ": strconv.") // of no use to who typed it
		return misused(what, "See: "+cmd.CommandPath()+" --help")
	})
	root.AddGroup(&cobra.Group{ID: groupApplications, Title: "Commands"}, &cobra.Group{ID: groupItself, Title: "About fcgi itself"})
	root.AddCommand(newServe(), newCompletion(), newVersion())
	root.SetHelpCommand(newHelp())
	return root
}

// welcome is what somebody sees who does not know yet what to type.
func welcome(cmd *cobra.Command) error {
	w := cmd.OutOrStdout()
	heading := paintFor(w).heading
	fmt.Fprintf(w, "%s runs FastCGI applications and shows what they do.\n\n", heading("fcgi"))
	fmt.Fprintf(w, "%s\n  fcgi serve -- ./app   runs ./app behind http://%s\n", heading("Start here"), defaultListen)
	writeCommands(w, cmd)
	_, err := fmt.Fprint(w, "\nfcgi COMMAND --help explains a command, with examples.\n")
	return err
}

// writeCommands lists subcommands, by their groups.
func writeCommands(w io.Writer, cmd *cobra.Command) {
	for _, group := range cmd.Groups() {
		fmt.Fprintf(w, "\n%s\n", paintFor(w).heading(group.Title))
		for _, c := range cmd.Commands() {
			if c.GroupID == group.ID {
				fmt.Fprintf(w, "  %-*s  %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	}
}

// noSuchCommand is for what stands in a subcommand's place and is none.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	remedy := "fcgi without arguments lists them."
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		remedy = "Did you mean: fcgi " + near[0]
	}
	return misused(fmt.Sprintf("there is no command %q", args[0]), remedy)
}
