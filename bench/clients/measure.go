//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	figures "github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// measureAll does all the work that was asked for.
func (b *bench) measureAll(ctx context.Context) {
	for i := range works {
		w := &works[i]
		if !harness.Matches(b.only, w.id) || ctx.Err() != nil {
			continue
		}
		if err := b.measure(ctx, w); err != nil {
			fmt.Fprintf(b.stderr, "%s failed: %v\n", w.id, err)
			b.report.failed = append(b.report.failed, w.id+": "+err.Error())
		}
	}
}

// measure has every client do one kind of work, in turns.
func (b *bench) measure(ctx context.Context, w *work) error {
	a, err := b.startApplications(ctx, w)
	if err != nil {
		return err
	}
	defer a.stop()
	best := make(map[string]figures.Figures)
	fastest, server := 0.0, 0.0 // bytes a second
	for range b.rounds {
		for _, c := range callers {
			if !w.takes(c) || !b.wants(c) || !b.has(c) {
				continue
			}
			f, err := b.call(ctx, w, c, a)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if known, ok := best[c.id]; !ok || cost(f) < cost(known) {
				best[c.id] = f
			}
			fastest = max(fastest, float64(f.Calls)*float64(b.size(w.bytes()))/f.Elapsed.Seconds())
		}
		if w.rate != "" {
			r, err := b.serverRate(ctx, w)
			if err != nil {
				return err
			}
			server = max(server, r)
		}
	}
	for _, c := range callers {
		f, ok := best[c.id]
		if !ok {
			continue
		}
		res := result{work: w, caller: c, Figures: f, rate: fastest, server: server}
		if over, ok := best[against(c)]; ok {
			res.ratio = float64(cost(f)) / float64(cost(over))
		}
		fmt.Fprintf(b.stderr, "%-10s %-24s %s a call of %d\n", w.id, c.name, harness.Duration(cost(f)), f.Calls)
		b.report.results = append(b.report.results, res)
	}
	return nil
}

// cost is the CPU time of a call.
func cost(f figures.Figures) time.Duration { return f.CPU / time.Duration(f.Calls) }

// against is the client that another is compared with.
func against(c caller) string {
	if c.tcp {
		return tcpID
	}
	return oursID
}

// Applications are one on a Unix socket and, if somebody calls over TCP, another there.
type applications struct {
	unix, tcp *harness.Process
}

func (a *applications) stop() {
	for _, p := range []*harness.Process{a.unix, a.tcp} {
		if p != nil {
			p.Stop()
		}
	}
}

func (b *bench) startApplications(ctx context.Context, w *work) (*applications, error) {
	a := new(applications)
	socket := filepath.Join(b.dir, "socket")
	var err error
	if a.unix, err = harness.StartProcess(ctx, b.cores.Server, socket, b.application(w, "unix:"+socket), nil); err != nil {
		return nil, err
	}
	if !w.takes(find(tcpID)) {
		return a, nil
	}
	addr, err := freeAddr()
	if err == nil {
		a.tcp, err = harness.StartProcess(ctx, b.cores.Server, addr, b.application(w, addr), nil)
	}
	if err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

// freeAddr is an address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// application is the command of what answers: examples/hello, or bench/peers/ours for
// what that cannot do. Both are this library's fastest server.
func (b *bench) application(w *work, listen string) []string {
	args := []string{"-mode", "async", "-listen", listen}
	switch {
	case w.answer > 0:
		return append(append([]string{filepath.Join(b.bin, "ours")}, args...), "-task", "bytes", strconv.FormatInt(b.size(w.answer), 10))
	case w.body > 0:
		return append(append([]string{filepath.Join(b.bin, "ours")}, args...), "-task", "count")
	}
	return append([]string{filepath.Join(b.bin, "hello")}, args...)
}

// size is a number of bytes, or what stands for it in a quick run.
func (b *bench) size(n int64) int64 {
	if b.quick {
		return min(n, 4*harness.MiB)
	}
	return n
}

// call has a client do its part.
func (b *bench) call(ctx context.Context, w *work, c caller, a *applications) (f figures.Figures, err error) {
	args := []string{
		b.path(c.program), "-way", c.way, "-network", "unix", "-addr", a.unix.Socket,
		"-callers", strconv.Itoa(w.callers), "-calls", strconv.Itoa(max(1, b.calls/w.share)), "-limit", b.limit.String(),
		"-body", strconv.FormatInt(b.size(w.body), 10), "-answer", strconv.FormatInt(b.size(w.answer), 10),
		fmt.Sprintf("-keep=%v", w.keep && c.keeps), fmt.Sprintf("-multiplex=%v", w.multiplex),
	}
	application := a.unix
	if c.tcp {
		application = a.tcp
		args = append(args, "-network", "tcp", "-addr", a.tcp.Socket)
	}
	out, err := harness.Output(ctx, b.cores.Load, args)
	if err != nil {
		return f, application.Explain(err)
	}
	return f, json.Unmarshal(out, &f)
}

// serverRate has the load generator of ./bench ask an application of the same kind,
// which says how many bytes a second the server has by itself.
func (b *bench) serverRate(ctx context.Context, w *work) (float64, error) {
	args := []string{"-json", "-only", w.rate, "-peers", "async-loop", "-bin", b.bin, "-rounds", "1"}
	if b.quick {
		args = append(args, "-quick")
	}
	cmd := exec.CommandContext(ctx, b.path("load"), args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = b.root, &said
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("./bench: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	var r struct {
		Results []struct {
			Peer string  `json:"peer"`
			Rate float64 `json:"requests_per_second"`
		} `json:"results"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return 0, err
	}
	for _, res := range r.Results {
		if res.Peer == "async, loop" {
			return res.Rate * float64(b.size(w.bytes())), nil
		}
	}
	return 0, fmt.Errorf("./bench has no result for %s", w.rate)
}
