//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A task is what an application is started for: it answers all requests alike.
type task struct {
	do      string // hello, bytes, digest, count, wait or mixed
	size    int64  // bytes of the answer, or of the body of the request
	streams int    // requests at once on a connection; 0 is 1
}

// args are the task as most programs take it.
func (t task) args() []string {
	if t.do == "bytes" || t.do == "mixed" {
		return []string{t.do, strconv.FormatInt(t.size, 10)}
	}
	return []string{t.do}
}

// A peer is an application that is measured.
type peer struct {
	id      string // for -peers
	name    string // in tables
	program string // of sources
	command func(b *bench, t task, socket string) (args, env []string)
	dialect dialect
	waits   int // how many requests wait in the work of that name
	abreast int // how many of them on a connection
	gaps    []gap
}

// A gap is work that a peer cannot do.
type gap struct{ works, reason string }

func (p peer) gap(w work) string {
	for _, g := range p.gaps {
		if harness.Matches(g.works, w.id) {
			return g.reason
		}
	}
	return ""
}

// assigned is the task that p does for t: the floor computes nothing.
func (p peer) assigned(t task) task {
	if p.id == floorID && t.do == "digest" {
		t.do = "count"
	}
	return t
}

const floorID = "floor"

var peers = []peer{
	{
		id: floorID, name: "C floor", program: "floor", command: program("floor"), dialect: fastCGI{},
		gaps: []gap{{"waiting,slow-reader", "looks at no request"}},
	},
	ours("async", "loop"), ours("sync", "loop"), ours("http", "loop"),
	ours("async", "goroutine"), ours("sync", "goroutine"), ours("http", "goroutine"),
	{
		id: "net-http-fcgi", name: "net/http/fcgi", program: "go", command: program("nethttpfcgi"), dialect: fastCGI{},
		waits: 10_000, abreast: 100,
	},
	{
		id: "libfcgi", name: "libfcgi", program: "libfcgi", command: program("libfcgi"), dialect: fastCGI{},
		gaps: []gap{
			{"hello-keep,idle,waiting,slow-reader", "serves one connection at a time, so one that is kept shuts out all others"},
			{"digest-*", "C has no SHA-256 of its own"},
			{"mux-*", "one request at a time on a connection"},
		},
	},
	{
		id: "tokio-fastcgi", name: "tokio-fastcgi", program: "tokio-fastcgi", command: program("cargo/release/tokiofastcgi"), dialect: fastCGI{},
		waits: 10_000, abreast: 1,
	},
	{
		id: "simple-fastcgi-sync", name: "simple_fastcgi sync", program: "simple_fastcgi", command: python("sync"), dialect: fastCGI{},
		gaps: append([]gap{{"waiting", "one request at a time"}}, pythonGaps...),
	},
	{
		id: "simple-fastcgi-async", name: "simple_fastcgi async", program: "simple_fastcgi", command: python("async"), dialect: fastCGI{},
		waits: 10_000, abreast: 1, gaps: pythonGaps,
	},
	{
		id: "php-fpm", name: "PHP-FPM", program: "php-fpm", command: phpFPM, dialect: fastCGI{},
		gaps: []gap{
			{"mux-*", "one request at a time on a connection"},
			{"idle,waiting", "a process for each connection"},
		},
	},
	{
		id: "net-http", name: "net/http (HTTP)", program: "go", command: program("nethttp"), dialect: webHTTP{},
		waits: 10_000, abreast: 1,
		gaps: []gap{{"mux-*", "HTTP/1.1 does not multiplex"}},
	},
}

var pythonGaps = []gap{
	{"hello-keep,idle,slow-reader", "closes the connection after each request"},
	{"mux-*", "one request a connection"},
}

// ours is this library in one mode and with one driver.
func ours(mode, driver string) peer {
	p := peer{
		id: mode + "-" + driver, name: mode + ", " + driver, program: "go", dialect: fastCGI{},
		command: func(b *bench, t task, socket string) (args, env []string) {
			args = []string{"-mode", mode, "-driver", driver, "-listen", "unix:" + socket}
			if t.do == "hello" && t.streams <= protocol.DefaultMaxRequests {
				return append([]string{b.bin + "/hello"}, args...), nil
			}
			args = append([]string{b.bin + "/ours"}, args...)
			return append(append(args, "-task"), t.args()...), nil
		},
		waits: 10_000, abreast: 100,
	}
	if mode == "async" {
		p.waits = 100_000
	}
	return p
}

// program is a command that takes a socket and a task.
func program(name string) func(*bench, task, string) (args, env []string) {
	return func(b *bench, t task, socket string) (args, env []string) {
		return append([]string{b.bin + "/" + name, socket}, t.args()...), nil
	}
}

func python(mode string) func(*bench, task, string) (args, env []string) {
	return func(b *bench, t task, socket string) (args, env []string) {
		args = []string{b.bin + "/venv/bin/python", b.root + "/bench/peers/simplefastcgi/tasks.py", mode, socket}
		return append(args, t.args()...), nil
	}
}

// phpFPM gets as many processes as the widest work has connections: each holds
// one.
func phpFPM(b *bench, _ task, socket string) (args, env []string) {
	args = []string{findPHP(), "--nodaemonize", "--fpm-config", b.root + "/bench/peers/php/php-fpm.conf"}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-to-run-as-root")
	}
	return args, []string{
		"BENCH_SOCKET=" + socket,
		fmt.Sprintf("BENCH_CHILDREN=%d", max(b.conns, slowConns)),
	}
}

// absent are the peers that are not to be had at all.
var absent = []remark{
	{Peer: "fastcgi-server (Rust)", Reason: "crates.io has only an empty placeholder, version 0.0.0"},
}

func peerIDs() (ids []string) {
	for _, p := range peers {
		ids = append(ids, p.id)
	}
	return ids
}
