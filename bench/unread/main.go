//go:build linux

// Command unread holds the library to Server.MemoryLimit at full size: 10,000
// connections ask for 100 answers of 64 KiB each, multiplexed, and read none of
// them, while other connections ask and read. It prints how much memory the
// server's process has had at most, and fails where an answer to those who read was
// wrong, or the memory beyond what docs/limits.md says.
//
//	go run ./bench/unread           a table, in some minutes
//	go run ./bench/unread -write    and keep it in bench/unread/RESULTS.md
//
// The server is this same program, in a process of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

func main() {
	harness.Main("unread", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout) })
}

// settings are how much is asked, and of what.
type settings struct {
	conns    int
	requests int // on each connection
	size     int // of an answer, in bytes
	limit    int // MemoryLimit, in MiB
	only     string
	heap     string
	write    bool
	collects bool // the server has GOMEMLIMIT

	serve, socket string // this process is the server
}

func parse(args []string) (s settings, err error) {
	f := flag.NewFlagSet("unread", flag.ContinueOnError)
	f.IntVar(&s.conns, "conns", 10_000, "connections that read nothing")
	f.IntVar(&s.requests, "requests", 100, "requests on each")
	f.IntVar(&s.size, "size", 64<<10, "bytes of each answer")
	f.IntVar(&s.limit, "limit", 256, "Server.MemoryLimit in MiB")
	f.StringVar(&s.only, "only", "", "measure only what has this in its name, such as loop or http")
	f.StringVar(&s.heap, "heap", "", "write the server's heap profiles to files that begin with this")
	f.BoolVar(&s.write, "write", false, "write "+results)
	f.StringVar(&s.serve, "serve", "", "be the server: a driver and a kind of handler, as in loop/async")
	f.StringVar(&s.socket, "socket", "", "where the server listens")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(f.Args())
}

func (s *settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? there is nothing to name: see -help", rest[0])
	case s.conns < 1 || s.requests < 1 || s.size < 1 || s.limit < 1:
		return errors.New("-conns, -requests, -size and -limit are at least 1")
	case len(s.names()) == 0:
		return fmt.Errorf("-only %q is in none of the names, which are as goroutine/sync or loop/http", s.only)
	case s.write && s.only != "":
		return errors.New("-write is for whole runs: leave out -only")
	}
	return nil
}

// names returns what is to be measured: a driver and a kind of handler each.
func (s *settings) names() (names []string) {
	for _, driver := range []string{"loop", "goroutine"} {
		for _, kind := range []string{"async", "sync", "http"} {
			if name := driver + "/" + kind; strings.Contains(name, s.only) {
				names = append(names, name)
			}
		}
	}
	return names
}

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	if s.serve != "" {
		return serve(ctx, s)
	}
	var rows []row
	var failed []error
	for _, name := range s.names() {
		fmt.Fprintln(os.Stderr, "unread:", name)
		r, err := s.measureTwice(ctx, name)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
		rows = append(rows, r)
	}
	report := s.table(rows)
	if _, err := io.WriteString(stdout, report); err != nil {
		return err
	}
	if s.write && len(failed) == 0 {
		return os.WriteFile(results, []byte(report), 0o644)
	}
	return errors.Join(failed...)
}
