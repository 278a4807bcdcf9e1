//go:build linux

package main

import (
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A work is something to measure peers at.
type work struct {
	id    string
	title string
	peers string // which are asked; empty is all
	nginx bool   // with nginx in front
	task  func(b *bench) task
	run   func(b *bench, w work, s *subject) (figures, error)
}

func (w work) asks(p peer) bool { return w.peers == "" || harness.Matches(w.peers, p.id) }

const (
	kib = harness.KiB
	mib = harness.MiB
	gib = harness.GiB
)

var works = []work{
	{
		id: "hello-keep", title: `"hello, world", on connections that are kept`,
		task: fixed(task{do: "hello"}), run: throughput(shape{keep: true, share: 1}),
	},
	{
		id: "hello-close", title: `"hello, world", a connection a request`,
		task: fixed(task{do: "hello"}), run: throughput(shape{share: 1}),
	},
	{
		id: "bytes-64k", title: "answers of 64 KiB, a connection each",
		task: fixed(task{do: "bytes", size: 64 * kib}), run: throughput(shape{share: 10}),
	},
	{
		id: "bytes-1m", title: "answers of 1 MiB, a connection each",
		task: fixed(task{do: "bytes", size: mib}), run: throughput(shape{share: 100}),
	},
	{
		id: "bytes-1g", title: "answers of 1 GiB, one at a time",
		peers: "async-*", task: huge("bytes"), run: throughput(shape{share: 50_000, conns: 1}),
	},
	{
		id: "count-1m", title: "uploads of 1 MiB that are counted, a connection each",
		task: fixed(task{do: "count", size: mib}), run: throughput(shape{share: 100}),
	},
	{
		id: "count-1g", title: "uploads of 1 GiB that are counted, one at a time",
		task: huge("count"), run: throughput(shape{share: 50_000, conns: 1}),
	},
	{
		id: "digest-1m", title: "uploads of 1 MiB of which the answer is the SHA-256 (the floor only counts), a connection each",
		task: fixed(task{do: "digest", size: mib}), run: throughput(shape{share: 100}),
	},
	{
		id: "digest-1g", title: "uploads of 1 GiB of which the answer is the SHA-256, one at a time (the floor only counts)",
		task: huge("digest"), run: throughput(shape{share: 50_000, conns: 1}),
	},
	{
		id: "mux-16", title: `"hello, world", 16 requests at once on one connection`,
		task: fixed(task{do: "hello", streams: 16}), run: multiplexed,
	},
	{
		id: "mux-256", title: `"hello, world", 256 requests at once on one connection`,
		task: fixed(task{do: "hello", streams: 256}), run: multiplexed,
	},
	{
		id: "nginx-keep", title: `"hello, world" behind nginx, which keeps its connections; CPU is the application's only`,
		peers: behindNginxPeers, nginx: true,
		task: fixed(task{do: "hello"}), run: behindNginx(true),
	},
	{
		id: "nginx-close", title: `"hello, world" behind nginx, which opens a connection a request; CPU is the application's only`,
		peers: behindNginxPeers, nginx: true,
		task: fixed(task{do: "hello"}), run: behindNginx(false),
	},
	{
		id: "idle", title: "memory of 10,000 idle connections, each after one request",
		task: fixed(task{do: "hello"}), run: idle,
	},
	{
		id: "waiting", title: "memory of requests that wait: 100,000 for async handlers, 10,000 for the others",
		task: fixed(task{do: "wait"}), run: waiting,
	},
	{
		id: "slow-reader", title: `"hello, world" on 63 connections, beside one that reads its MiB at 1 MiB/s`,
		task: fixed(task{do: "mixed", size: mib}), run: slowReader,
	},
}

const behindNginxPeers = "floor,async-*,sync-*,http-*,net-http-fcgi,net-http"

func fixed(t task) func(*bench) task { return func(*bench) task { return t } }

// huge is an upload or answer of 1 GiB, or of what stands for it in a quick run.
func huge(do string) func(*bench) task {
	return func(b *bench) task {
		if b.quick {
			return task{do: do, size: 4 * mib}
		}
		return task{do: do, size: gib}
	}
}

func workIDs() (ids []string) {
	for _, w := range works {
		ids = append(ids, w.id)
	}
	return ids
}

// A shape is how work that is measured by requests comes.
type shape struct {
	keep  bool
	share int // of -requests one in so many is enough
	conns int // 0 is -conns
}

// throughput measures the CPU time of requests.
func throughput(sh shape) func(*bench, work, *subject) (figures, error) {
	return func(b *bench, _ work, s *subject) (figures, error) {
		l := b.load(s, sh)
		return b.best(s, l.run)
	}
}

// load is the load of a shape for a subject.
func (b *bench) load(s *subject, sh shape) *load {
	l := &load{
		socket:   s.server.Socket,
		dialect:  s.dialect,
		question: question{script: b.script(s.task), keep: sh.keep},
		want:     expect(s.task),
		conns:    b.conns,
		requests: max(1, b.requests/sh.share),
		limit:    b.limit,
	}
	if sh.conns > 0 {
		l.conns = sh.conns
	}
	switch s.do {
	case "count", "digest":
		l.question.upload = s.size
	case "bytes":
		l.question.query = bytesQuery(s.size)
	}
	return l
}

// script is the PHP program of a task. The other peers do not look at its name.
func (b *bench) script(t task) string { return b.root + "/bench/peers/php/" + t.do + ".php" }

// An outcome is what a round of requests took.
type outcome struct {
	took    []time.Duration // each, sorted
	elapsed time.Duration
}

// best gives the server several rounds of a work after a short one for warming
// up, and returns the cheapest. That its CPU time is the least means that it was
// disturbed the least.
func (b *bench) best(s *subject, round func(share int) (outcome, error)) (figures, error) {
	if _, err := round(10); err != nil {
		return figures{}, err
	}
	var best figures
	for range b.rounds {
		before, err := s.server.CPUTime()
		if err != nil {
			return figures{}, err
		}
		o, err := round(1)
		if err != nil {
			return figures{}, err
		}
		after, err := s.server.CPUTime()
		if err != nil {
			return figures{}, err
		}
		if f := o.figures(after - before); best.Requests == 0 || f.CPU < best.CPU {
			best = f
		}
	}
	var err error
	best.Peak, err = s.server.Peak()
	return best, err
}

func (o outcome) figures(cpu time.Duration) figures {
	n := len(o.took)
	return figures{
		Requests: n,
		CPU:      cpu / time.Duration(n),
		Rate:     float64(n) / o.elapsed.Seconds(),
		P50:      o.took[n/2],
		P99:      o.took[n*99/100],
	}
}
