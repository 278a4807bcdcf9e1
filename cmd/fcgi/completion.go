package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// A shell is one whose completion can be generated.
type shell struct {
	name     string
	generate func(root *cobra.Command, w io.Writer) error
}

var shells = []shell{
	{"bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
	{"zsh", (*cobra.Command).GenZshCompletion},
	{"fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
	{"powershell", (*cobra.Command).GenPowerShellCompletionWithDesc},
}

func newCompletion() *cobra.Command {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	known := strings.Join(names, ", ")
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "print a script that completes fcgi's commands and flags in a shell",
		Long:      "SHELL is one of: " + known + ".",
		ValidArgs: names,
		GroupID:   groupItself,
		Example: `  source <(fcgi completion bash)                                      # in ~/.bashrc
  fcgi completion zsh > "${fpath[1]}/_fcgi"
  fcgi completion fish > ~/.config/fish/completions/fcgi.fish
  fcgi completion powershell | Out-String | Invoke-Expression         # in $PROFILE`,
		RunE: func(cmd *cobra.Command, args []string) error {
			i := -1
			if len(args) == 1 {
				i = slices.Index(names, args[0])
			}
			if i < 0 {
				return misused(fmt.Sprintf("completion wants one shell, and got %q", args), "It knows "+known+".")
			}
			return shells[i].generate(cmd.Root(), cmd.OutOrStdout())
		},
	}
}
