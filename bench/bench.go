//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A bench measures peers at work.
type bench struct {
	settings
	root   string // the checkout
	dir    string // for sockets: their paths must be short
	cores  harness.Cores
	report report
	stderr io.Writer
}

func newBench(s settings, stderr io.Writer) (*bench, error) {
	root, err := harness.Checkout("go run ./bench")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{settings: s, root: root, dir: dir, stderr: stderr}
	if b.bin == "" {
		b.bin = filepath.Join(root, "bin", "bench")
	}
	b.report.Machine = harness.DescribeMachine(root)
	return b, nil
}

func (b *bench) close() { os.RemoveAll(b.dir) }

// prepare builds the programs and pins this process to the load's processor.
func (b *bench) prepare(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := harness.RaiseFileLimit(mostConns + 100); err != nil {
		return err
	}
	var err error
	b.cores, err = harness.SplitCores()
	return err
}

// chosen are the peers that were asked for and can be had.
func (b *bench) chosen() (chosen []peer) {
	for _, p := range peers {
		if (p.id == floorID || harness.Matches(b.peers, p.id)) && b.report.Programs[p.program] != "" {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// measureAll does all the work that was asked for.
func (b *bench) measureAll(ctx context.Context) {
	for _, w := range works {
		if !harness.Matches(b.only, w.id) {
			continue
		}
		for _, p := range b.chosen() {
			if ctx.Err() == nil && w.asks(p) {
				b.measure(ctx, w, p)
			}
		}
	}
}

// measure has one peer do one kind of work, and notes the result.
func (b *bench) measure(ctx context.Context, w work, p peer) {
	reason := p.gap(w)
	if w.nginx && b.report.Programs["nginx"] == "" {
		reason = "there is no nginx: " + nginxRemedy
	}
	if reason != "" {
		b.report.Gaps = append(b.report.Gaps, remark{w.id, p.name, reason})
		return
	}
	fmt.Fprintf(b.stderr, "%-14s %-22s ", w.id, p.name)
	f, err := b.try(ctx, w, p)
	if err != nil {
		fmt.Fprintln(b.stderr, "failed:", err)
		b.report.Failed = append(b.report.Failed, remark{w.id, p.name, err.Error()})
		return
	}
	fmt.Fprintln(b.stderr, f.String())
	b.report.add(result{Work: w.id, Peer: p.name, figures: f})
}

// try starts the peer for the work, and stops it.
func (b *bench) try(ctx context.Context, w work, p peer) (figures, error) {
	t := p.assigned(w.task(b))
	s, err := b.start(ctx, p, t)
	if err != nil {
		return figures{}, err
	}
	defer s.Stop()
	f, err := w.run(b, w, &subject{peer: p, task: t, server: s})
	return f, s.Explain(err)
}

// start starts a peer for a task.
func (b *bench) start(ctx context.Context, p peer, t task) (*harness.Process, error) {
	socket := filepath.Join(b.dir, "socket")
	args, env := p.command(b, t, socket)
	return harness.StartProcess(ctx, b.cores.Server, socket, args, env)
}

// A subject is a peer at work.
type subject struct {
	peer
	task
	server *harness.Process
}
