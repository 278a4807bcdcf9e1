//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A caller is a client that is measured.
type caller struct {
	id      string // for -clients
	name    string // in tables
	program string // its folder here
	way     string // -way of the program
	tcp     bool   // calls over TCP
	keeps   bool   // can use a connection again
	shares  bool   // can have several requests on one
}

// The clients that others are compared with: over a Unix socket, and over TCP.
const oursID, tcpID = "client", "transport-tcp"

var callers = []caller{
	{id: oursID, name: "client.Client", program: "ours", way: "client", keeps: true, shares: true},
	{id: "transport", name: "client.Transport", program: "ours", way: "transport", keeps: true, shares: true},
	{id: "gofast", name: "gofast", program: "gofast", keeps: true},
	{id: "fcgi_client", name: "fcgi_client", program: "fcgiclient"},
	// Only Caddy's proxy can tell Caddy's transport of a Unix socket.
	{id: tcpID, name: "client.Transport, TCP", program: "ours", way: "transport", tcp: true, keeps: true, shares: true},
	{id: "caddy", name: "Caddy's transport, TCP", program: "caddy", tcp: true},
}

func find(id string) caller {
	return callers[slices.IndexFunc(callers, func(c caller) bool { return c.id == id })]
}

// A program is what callers are made of. Those of others have modules of their own.
type program struct {
	folder string
	module string // empty: this one's own
}

var programs = []program{
	{folder: "ours"},
	{folder: "gofast", module: "github.com/yookoala/gofast"},
	{folder: "fcgiclient", module: "github.com/tomasen/fcgi_client"},
	{folder: "caddy", module: "github.com/caddyserver/caddy/v2"},
}

func clientIDs() (ids []string) {
	for _, c := range callers {
		ids = append(ids, c.id)
	}
	return ids
}

// path is where a program is once it is built.
func (b *bench) path(folder string) string { return filepath.Join(b.bin, "client-"+folder) }

// build builds the applications, the load generator of ./bench and the clients. What
// cannot be had of the others' is noted.
func (b *bench) build(ctx context.Context) error {
	if err := os.MkdirAll(b.bin, 0o755); err != nil {
		return err
	}
	if _, err := b.goTool(ctx, b.root, "build", "-o", b.bin+"/", "./examples/hello", "./bench/peers/ours"); err != nil {
		return err
	}
	if _, err := b.goTool(ctx, b.root, "build", "-o", b.path("load"), "./bench"); err != nil {
		return err
	}
	version, err := b.goTool(ctx, b.root, "env", "GOVERSION")
	if err != nil {
		return err
	}
	b.report.versions = append(b.report.versions, version)
	for _, p := range programs {
		if !b.needs(p) {
			continue
		}
		switch version, err := b.buildProgram(ctx, p); {
		case err != nil && p.module == "":
			return err
		case err != nil:
			fmt.Fprintf(b.stderr, "missing: %v\n", err)
			reason, _, _ := strings.Cut(err.Error(), "\n")
			b.report.missing = append(b.report.missing, p.module+": "+reason)
		case version != "":
			b.report.versions = append(b.report.versions, version)
		}
	}
	return nil
}

// wants reports whether a client was asked for.
func (b *bench) wants(c caller) bool { return harness.Matches(b.clients, c.id) }

// needs reports whether a program is one of the clients that were asked for.
func (b *bench) needs(p program) bool {
	for _, c := range callers {
		if c.program == p.folder && b.wants(c) {
			return true
		}
	}
	return false
}

// buildProgram returns the version of what is compared.
func (b *bench) buildProgram(ctx context.Context, p program) (version string, err error) {
	os.Remove(b.path(p.folder)) // or an earlier one would do for one that cannot be built
	dir := filepath.Join(b.root, "bench", "clients", p.folder)
	if _, err := b.goTool(ctx, dir, "build", "-o", b.path(p.folder), "."); err != nil || p.module == "" {
		return "", err
	}
	return b.goTool(ctx, dir, "list", "-m", p.module)
}

// goTool runs the go command and returns what it says. The first line of an error is
// its cause.
func (b *bench) goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if failed, ok := err.(*exec.ExitError); ok {
		return "", fmt.Errorf("go %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
	}
	return "", err
}

func (b *bench) has(c caller) bool {
	_, err := os.Stat(b.path(c.program))
	return err == nil
}
