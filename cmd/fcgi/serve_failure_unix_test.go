//go:build unix

package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServeSaysWhatWentWrong(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "plain", "hello")
	for name, text := range map[string]string{"odd": "hello", "lost": "#!/no/such/interpreter\n"} {
		write(t, dir, name, text)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self := os.Args[0]
	for _, tt := range []struct {
		name   string
		args   []string
		wanted []string
	}{
		{"no such command", []string{"--", "frobnicate"}, []string{"there is no command frobnicate\n", "./frobnicate"}},
		{"no such program", []string{"--", "./missing"}, []string{"there is no program ./missing\n", "Is it built?", dir}},
		{"a folder", []string{"--", dir}, []string{dir + " is a folder, not a program\n"}},
		{"not executable", []string{"--", "./plain"}, []string{"./plain may not be executed\n", "chmod +x ./plain"}},
		{"not a program", []string{"--", "./odd"}, []string{"./odd is not a program that runs here\n", "#!/bin/sh"}},
		{"no interpreter", []string{"--", "./lost"}, []string{"./lost names an interpreter that does not exist\n", "#!"}},
		{
			"exits at once",
			[]string{"--", self, "play-exit", "7", "no configuration"},
			[]string{"| no configuration\n", "exited with status 7 before it answered\n", "What it wrote is above."},
		},
		{"exits silently", []string{"--", self, "play-exit", "7"}, []string{"exited with status 7 before it answered\n", "It wrote nothing.\n"}},
		{"goes to the background", []string{"--", self, "play-exit", "0"}, []string{"exited with status 0 before it answered\n", "foreground"}},
		{"several exit", []string{"-n", "3", "--", self, "play-exit", "7"}, []string{"exited with status 7 before it answered\n"}},
		{"no root", []string{"--root", "public", "--", self, "play-app"}, []string{"there is no folder public for --root to serve\n", dir}},
		{"root is a file", []string{"--root", "plain", "--", self, "play-app"}, []string{"plain is not a folder, and --root serves a folder\n"}},
		{
			"no such address",
			[]string{"--listen", "192.0.2.1:8080", "--", self, "play-app"},
			[]string{"this machine has no address 192.0.2.1\n", "--listen 127.0.0.1:8080"},
		},
	} {
		args := append([]string{"serve", "--listen", "127.0.0.1:0"}, tt.args...)
		code, stdout, stderr := runOnce(t, args...)
		if code != exitFailed || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", tt.name, code, stdout)
		}
		for _, want := range tt.wanted {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: nothing says %q in:\n%s", tt.name, want, stderr)
			}
		}
	}
}

// With --json, the reason is where programs read, and where people do.
func TestServeTellsProgramsWhatWentWrong(t *testing.T) {
	code, stdout, stderr := runOnce(t, "serve", "--json", "--listen", "127.0.0.1:0", "--", os.Args[0], "play-exit", "7")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var last entry
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	const want = "exited with status 7 before it answered"
	if code != exitFailed || last.Event != "failed" || !strings.Contains(last.Text, want) || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, last event %+v, errors:\n%s", code, last, stderr)
	}
}

func TestServeSaysThatThereIsNoTMPDIR(t *testing.T) {
	t.Setenv("TMPDIR", "/no/such/folder")
	code, _, stderr := runOnce(t, "serve", "--listen", "127.0.0.1:0", "--", os.Args[0], "play-app")
	if code != exitFailed || !strings.Contains(stderr, "cannot make a socket: ") || !strings.Contains(stderr, "TMPDIR says where, and is /no/such/folder now.") {
		t.Errorf("exit code %d, errors:\n%s", code, stderr)
	}
}

func TestServeNamesThePortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	code, _, stderr := runOnce(t, "serve", "--listen", l.Addr().String(), "--", os.Args[0], "play-app")
	if code != exitFailed || !strings.Contains(stderr, "port "+port+" is taken by another program") || !strings.Contains(stderr, "--listen 127.0.0.1:") {
		t.Errorf("exit code %d, errors:\n%s", code, stderr)
	}
}

// Paths of sockets are short everywhere.
func TestServeSaysThatTMPDIRIsTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	code, _, stderr := runOnce(t, "serve", "--listen", "127.0.0.1:0", "--", os.Args[0], "play-app")
	if code != exitFailed || !strings.Contains(stderr, "too long") || !strings.Contains(stderr, "TMPDIR=/tmp fcgi serve") {
		t.Errorf("exit code %d, errors:\n%s", code, stderr)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}
