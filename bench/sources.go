//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A source is where the program of a peer comes from.
type source struct {
	name    string
	build   func(b *bench) [][]string
	remedy  string // when that fails
	needed  bool   // without it there is nothing to compare
	version func(b *bench) (string, error)
}

const nginxRemedy = "it needs Debian's nginx-light"

var sources = []source{
	{
		name: floorID,
		build: func(b *bench) [][]string {
			return [][]string{{"cc", "-O2", "-Wall", "-Wextra", "-o", b.bin + "/floor", "bench/peers/floor/floor.c"}}
		},
		remedy:  "it needs a C compiler (Debian: build-essential)",
		needed:  true,
		version: firstLine("cc", "--version"),
	},
	{
		name: "go",
		build: func(b *bench) [][]string {
			return [][]string{{
				"go", "build", "-o", b.bin + "/",
				"./examples/hello", "./bench/peers/ours", "./bench/peers/nethttp", "./bench/peers/nethttpfcgi",
			}}
		},
		remedy:  "the checkout does not build",
		needed:  true,
		version: firstLine("go", "env", "GOVERSION"),
	},
	{
		name: "libfcgi",
		build: func(b *bench) [][]string {
			return [][]string{{"cc", "-O2", "-Wall", "-Wextra", "-o", b.bin + "/libfcgi", "bench/peers/libfcgi/tasks.c", "-lfcgi"}}
		},
		remedy:  "it needs Debian's libfcgi-dev",
		version: debian("libfcgi-dev"),
	},
	{
		name: "tokio-fastcgi",
		build: func(b *bench) [][]string {
			return [][]string{{
				"cargo", "build", "--release", "--locked", "--quiet",
				"--manifest-path", "bench/peers/tokiofastcgi/Cargo.toml", "--target-dir", b.bin + "/cargo",
			}}
		},
		remedy: "it needs cargo and crates.io, or what cargo fetched from there before",
		version: func(b *bench) (string, error) {
			rust, err := firstLine("rustc", "--version")(b)
			return "tokio-fastcgi 1.3.0, tokio 1.47.1, " + rust, err
		},
	},
	{
		name: "simple_fastcgi",
		build: func(b *bench) [][]string {
			return [][]string{
				{"python3", "-m", "venv", b.bin + "/venv"},
				{
					b.bin + "/venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
					"-r", "bench/peers/simplefastcgi/requirements.txt",
				},
			}
		},
		remedy: "it needs python3 with venv (Debian: python3-venv), and PyPI",
		version: func(b *bench) (string, error) {
			python, err := firstLine(b.bin+"/venv/bin/python", "--version")(b)
			return "simple_fastcgi 0.0.8, " + python, err
		},
	},
	{
		name: "php-fpm", remedy: "it needs Debian's php-fpm",
		version: func(b *bench) (string, error) { return firstLine(findPHP(), "--version")(b) },
	},
	{
		name: "nginx", remedy: nginxRemedy,
		version: func(b *bench) (string, error) {
			out, err := exec.Command("nginx", "-v").CombinedOutput()
			return strings.TrimPrefix(strings.TrimSpace(string(out)), "nginx version: "), err
		},
	},
}

// build makes the programs that the chosen peers need. One that cannot be made
// is noted as missing.
func (b *bench) build(ctx context.Context) error {
	if err := os.MkdirAll(b.bin, 0o755); err != nil {
		return err
	}
	b.report.Programs = make(map[string]string)
	b.report.Missing = absent
	for _, p := range sources {
		if !b.needs(p.name) {
			continue
		}
		fmt.Fprintf(b.stderr, "building %s\n", p.name)
		version, err := b.obtain(ctx, p)
		if err == nil {
			b.report.Programs[p.name] = version
			continue
		}
		if p.needed {
			return fmt.Errorf("%s cannot be built: %w", p.name, err)
		}
		b.miss(p.name, err)
	}
	return nil
}

func (b *bench) needs(program string) bool {
	if program == "nginx" {
		for _, w := range works {
			if w.nginx && harness.Matches(b.only, w.id) {
				return true
			}
		}
	}
	for _, p := range peers {
		if p.program == program && (p.id == floorID || harness.Matches(b.peers, p.id)) {
			return true
		}
	}
	return false
}

func (b *bench) obtain(ctx context.Context, p source) (version string, err error) {
	if p.build != nil {
		for _, c := range p.build(b) {
			cmd := exec.CommandContext(ctx, c[0], c[1:]...)
			cmd.Dir = b.root
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", fmt.Errorf("%s; %s: %w\n%s", p.remedy, strings.Join(c, " "), err, lastLines(out))
			}
		}
	}
	version, err = p.version(b)
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.remedy, err)
	}
	return version, nil
}

// miss notes that the peers of a program are not there.
func (b *bench) miss(program string, err error) {
	fmt.Fprintf(b.stderr, "missing: %v\n", err)
	reason, _, _ := strings.Cut(err.Error(), "\n")
	for _, p := range peers {
		if p.program == program && harness.Matches(b.peers, p.id) {
			b.report.Missing = append(b.report.Missing, remark{Peer: p.name, Reason: reason})
		}
	}
}

// lastLines is the end of what a command printed, where the cause is.
func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

func firstLine(command ...string) func(*bench) (string, error) {
	return func(*bench) (string, error) {
		out, err := exec.Command(command[0], command[1:]...).Output()
		line, _, _ := strings.Cut(string(out), "\n")
		return line, err
	}
}

// debian is the version of a package, where there are packages.
func debian(name string) func(*bench) (string, error) {
	return func(*bench) (string, error) {
		out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Package} ${Version}", name).Output()
		if errors.Is(err, exec.ErrNotFound) {
			return name + " of unknown version", nil
		}
		return string(out), err
	}
}

// findPHP returns php-fpm's path: Debian's carries PHP's version in its name.
func findPHP() string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		found, _ := filepath.Glob(filepath.Join(dir, "php-fpm*"))
		for _, path := range found {
			if p, err := exec.LookPath(path); err == nil {
				return p
			}
		}
	}
	return "php-fpm"
}
