//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

func main() {
	harness.Main("bench", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// settings are how much is measured, and of what.
type settings struct {
	requests int
	rounds   int
	conns    int
	limit    time.Duration
	only     string
	peers    string
	bin      string
	quick    bool
	write    bool
	json     bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&s.requests, "requests", 100_000, "requests in a measurement of the lightest work; heavier work takes fewer")
	f.IntVar(&s.rounds, "rounds", 3, "measurements of each, of which the cheapest counts")
	f.IntVar(&s.conns, "conns", 32, "connections at once")
	f.DurationVar(&s.limit, "limit", 4*time.Second, "how long a measurement may take; it ends early then")
	f.StringVar(&s.only, "only", "*", "which `work`: "+strings.Join(workIDs(), ", ")+"; a list, with * as in file names")
	f.StringVar(&s.peers, "peers", "*", "which `peers`: "+strings.Join(peerIDs(), ", ")+"; a list, with *; the floor is always there")
	f.StringVar(&s.bin, "bin", "", "the `folder` to build in (default: bin/bench in the checkout)")
	f.BoolVar(&s.quick, "quick", false, "very little of each, to see that it works; the figures mean nothing")
	f.BoolVar(&s.write, "write", false, "write bench/RESULTS.md and docs/performance.svg")
	f.BoolVar(&s.json, "json", false, "print JSON instead of a table")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(f.Args())
}

func (s *settings) check(rest []string) error {
	if s.quick {
		s.requests, s.rounds = min(s.requests, 200), 1
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? lists are given with commas, as in -peers async-loop,libfcgi", rest[0])
	case s.requests < 1 || s.rounds < 1 || s.conns < 1:
		return errors.New("-requests, -rounds and -conns are at least 1")
	case s.write && (s.quick || s.only != "*" || s.peers != "*"):
		return errors.New("-write is for whole runs, so that what is published is; leave out -quick, -only and -peers")
	}
	return errors.Join(harness.NoMatch("-only", s.only, workIDs()), harness.NoMatch("-peers", s.peers, peerIDs()))
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	b, err := newBench(s, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.measureAll(ctx)
	if err := ctx.Err(); err != nil {
		return errors.New("interrupted")
	}
	return b.publish(stdout)
}

// publish prints and writes what was found.
func (b *bench) publish(stdout io.Writer) error {
	r := &b.report
	var err error
	if b.json {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "\t")
		err = e.Encode(r)
	} else {
		err = r.print(stdout)
	}
	if err == nil && b.write {
		err = r.writeFiles(b.root)
	}
	if err == nil && len(r.Failed) > 0 {
		err = fmt.Errorf("%d measurements failed, as listed", len(r.Failed))
	}
	return err
}
