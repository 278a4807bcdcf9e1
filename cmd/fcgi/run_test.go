package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// runOnce runs the tool and returns what it says.
func runOnce(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestWithoutArgumentsItSaysWhatToDoNext(t *testing.T) {
	code, stdout, stderr := runOnce(t)
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, errors %q", code, stderr)
	}
	for _, want := range []string{"fcgi serve -- ./app", "http://127.0.0.1:8080", "\n  serve ", "\n  version ", "--help"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing says %q in:\n%s", want, stdout)
		}
	}
	if n := strings.Count(stdout, "\n"); n > 24 {
		t.Errorf("%d lines do not fit on a screen", n)
	}
}

// commands returns all of them, as they are typed.
func commands(c *cobra.Command) (paths [][]string) {
	paths = append(paths, strings.Fields(c.CommandPath())[1:])
	for _, sub := range c.Commands() {
		paths = append(paths, commands(sub)...)
	}
	return paths
}

func TestEveryHelpEndsInExamples(t *testing.T) {
	for _, command := range commands(newRoot()) {
		code, stdout, stderr := runOnce(t, append(command, "--help")...)
		_, examples, found := strings.Cut(stdout, "\nExamples\n")
		if code != exitOK || stderr != "" || !found {
			t.Errorf("%q: exit code %d, errors %q, examples %v", command, code, stderr, found)
			continue
		}
		for line := range strings.Lines(examples) {
			if !strings.HasPrefix(line, "  ") || !strings.Contains(line, "fcgi") {
				t.Errorf("%q: not an example: %q", command, line)
			}
		}
	}
}

func TestHelpIsTheSameEitherWay(t *testing.T) {
	_, flag, _ := runOnce(t, "serve", "--help")
	code, command, _ := runOnce(t, "help", "serve")
	if code != exitOK || flag != command {
		t.Errorf("serve --help says\n%s\nand help serve says\n%s", flag, command)
	}
}

func TestMisuse(t *testing.T) {
	for _, tt := range []struct {
		args         string
		what, remedy string
	}{
		{"srve", `there is no command "srve"`, "Did you mean: fcgi serve"},
		{"dance", `there is no command "dance"`, "fcgi without arguments lists them."},
		{"help dance", `there is no command "dance"`, "fcgi without arguments lists them."},
		{"--dance", "unknown flag: --dance", "See: fcgi --help"},
		{"version now", `fcgi version takes no arguments, and got "now"`, "See: fcgi version --help"},
		{"completion", "completion wants one shell, and got []", "It knows bash, zsh, fish, powershell."},
		{"completion tcsh", `completion wants one shell, and got ["tcsh"]`, "It knows bash, zsh, fish, powershell."},
		{"serve", "serve was not told which application to run", "as in: fcgi serve -- ./app"},
		{"serve --", "serve was not told which application to run", "as in: fcgi serve -- ./app"},
		{"serve --dance -- ./app", "unknown flag: --dance", "See: fcgi serve --help"},
		{"serve --workers many -- ./app", `invalid argument "many" for "-n, --workers" flag` + "\n", "See: fcgi serve --help"},
		{"serve --workers -1 -- ./app", "--workers is -1", "It can be 1 to 1024."},
		{"serve --workers 1025 -- ./app", "--workers is 1025", "It can be 1 to 1024."},
		{"serve --listen 8080 -- ./app", `--listen is "8080", which is not HOST:PORT`, "--listen 127.0.0.1:8080"},
		{"serve --extension .php -- ./app", "--root, which says where they are, is missing", "fcgi serve --root public --extension .php -- php-cgi"},
		{"serve --root . --extension php -- ./app", `--extension is "php"`, "--extension .php"},
	} {
		code, stdout, stderr := runOnce(t, strings.Fields(tt.args)...)
		if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "fcgi: ") ||
			!strings.Contains(stderr, tt.what) || !strings.Contains(stderr, "\n      ") || !strings.Contains(stderr, tt.remedy) {
			t.Errorf("fcgi %s: exit code %d, output %q, errors\n%s\nwant %q and %q", tt.args, code, stdout, stderr, tt.what, tt.remedy)
		}
	}
}

func TestVersion(t *testing.T) {
	code, command, _ := runOnce(t, "version")
	_, flag, _ := runOnce(t, "--version")
	if code != exitOK || command != flag || !strings.HasPrefix(command, "fcgi ") || !strings.Contains(command, " go1.") {
		t.Errorf("exit code %d, version %q, --version %q", code, command, flag)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := runOnce(t, "completion", shell)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "fcgi") || strings.Count(stdout, "\n") < 50 {
			t.Errorf("%s: exit code %d, errors %q, %d bytes", shell, code, stderr, len(stdout))
		}
	}
}

// What the scripts ask the tool itself.
func TestCompletionsAreRight(t *testing.T) {
	for typed, want := range map[string]string{
		"ser":           "serve\t",
		"serve --work":  "--workers\t",
		"serve --root ": ":16", // folders
		"completion z":  "zsh",
	} {
		_, stdout, _ := runOnce(t, append([]string{"__complete"}, strings.Split(typed, " ")...)...)
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is completed with %q, want %q", typed, stdout, want)
		}
	}
}
