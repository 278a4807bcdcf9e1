//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

func main() {
	harness.Main("clients", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// settings are how much is measured, and of what.
type settings struct {
	calls   int
	rounds  int
	limit   time.Duration
	only    string
	clients string
	bin     string
	quick   bool
	write   bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("clients", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&s.calls, "calls", 100_000, "calls in a round of the lightest work; heavier work takes fewer")
	f.IntVar(&s.rounds, "rounds", 5, "rounds of each client, of which the cheapest counts")
	f.DurationVar(&s.limit, "limit", time.Second, "how long a round may take; it ends early then")
	f.StringVar(&s.only, "only", "*", "which `work`: "+strings.Join(workIDs(), ", ")+"; a list, with * as in file names")
	f.StringVar(&s.clients, "clients", "*", "which `clients`: "+strings.Join(clientIDs(), ", ")+"; a list, with *")
	f.StringVar(&s.bin, "bin", "", "the `folder` to build in (default: bin/bench in the checkout)")
	f.BoolVar(&s.quick, "quick", false, "very little of each, to see that it works; the figures mean nothing")
	f.BoolVar(&s.write, "write", false, "write bench/clients/RESULTS.md and docs/clients.svg")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(f.Args())
}

func (s *settings) check(rest []string) error {
	if s.quick {
		s.calls, s.rounds = min(s.calls, 200), 1
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? lists are given with commas, as in -clients client,gofast", rest[0])
	case s.calls < 1 || s.rounds < 1:
		return errors.New("-calls and -rounds are at least 1")
	case s.write && (s.quick || s.only != "*" || s.clients != "*"):
		return errors.New("-write is for whole runs, so that what is published is; leave out -quick, -only and -clients")
	}
	return errors.Join(harness.NoMatch("-only", s.only, workIDs()), harness.NoMatch("-clients", s.clients, clientIDs()))
}

// A bench measures clients at work.
type bench struct {
	settings
	root   string // the checkout
	dir    string // for sockets: their paths must be short
	cores  harness.Cores
	report report
	stderr io.Writer
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	root, err := harness.Checkout("go run ./bench/clients")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{settings: s, root: root, dir: dir, stderr: stderr}
	if b.bin == "" {
		b.bin = filepath.Join(root, "bin", "bench")
	}
	b.report.machine = harness.DescribeMachine(root)
	b.report.command = strings.TrimSpace("go run ./bench/clients " + strings.Join(args, " "))
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.measureAll(ctx)
	if err := ctx.Err(); err != nil {
		return errors.New("interrupted")
	}
	return b.publish(stdout)
}

// prepare builds the programs and gives client and application a processor each.
func (b *bench) prepare(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	var err error
	b.cores, err = harness.FindCores()
	return err
}

// publish prints and writes what was found.
func (b *bench) publish(stdout io.Writer) error {
	text := b.report.markdown()
	if _, err := stdout.Write(text); err != nil {
		return err
	}
	if b.write {
		plot, err := b.report.plot()
		if err != nil {
			return err
		}
		for path, text := range map[string][]byte{"bench/clients/RESULTS.md": text, "docs/clients.svg": plot} {
			if err := os.WriteFile(filepath.Join(b.root, path), text, 0o644); err != nil {
				return err
			}
		}
	}
	if len(b.report.failed) > 0 {
		return fmt.Errorf("%d measurements failed, as listed", len(b.report.failed))
	}
	return nil
}
