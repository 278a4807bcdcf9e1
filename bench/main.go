package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	requests := flag.Int("requests", 100_000, "requests for each measurement")
	conns := flag.Int("conns", 32, "connections at once")
	rounds := flag.Int("rounds", 3, "measurements of each, of which the best counts")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	if err := run(*requests, *conns, *rounds, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A peer is a program that serves hello on a Unix socket.
type peer struct {
	name string
	args func(bin, socket string) []string
}

var peers = []peer{
	{"C floor", func(bin, s string) []string { return []string{bin + "/floor", s} }},
	{"async", hello("async")},
	{"sync", hello("sync")},
	{"http", hello("http")},
	{"net/http/fcgi", func(bin, s string) []string { return []string{bin + "/nethttpfcgi", s} }},
}

func hello(mode string) func(bin, socket string) []string {
	return func(bin, socket string) []string {
		return []string{bin + "/hello", "-mode", mode, "-listen", "unix:" + socket}
	}
}

// A result is what one peer needed for one kind of work.
type result struct {
	Peer  string        `json:"peer"`
	Keep  bool          `json:"keep_conn"`
	CPU   time.Duration `json:"cpu_per_request_ns"`
	Ratio float64       `json:"ratio_to_floor"`
	Rate  float64       `json:"requests_per_second"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	RSS   int           `json:"peak_rss_kib"`
}

func run(requests, conns, rounds int, asJSON bool) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return err
	}
	// The load stays off the core that is measured.
	if err := pinSelf(); err != nil {
		return err
	}
	var results []result
	for _, keep := range []bool{true, false} {
		floor := time.Duration(0)
		for _, p := range peers {
			fmt.Fprintf(os.Stderr, "%s, %s\n", p.name, kind(keep))
			r, err := measure(p, dir, rounds, load{conns: conns, requests: requests, keep: keep})
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if floor == 0 {
				floor = r.CPU
			}
			r.Ratio = float64(r.CPU) / float64(floor)
			results = append(results, r)
		}
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(results)
	}
	return print(results)
}

func kind(keep bool) string {
	if keep {
		return "kept alive"
	}
	return "a connection a request"
}

func print(results []result) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "peer\twork\tCPU/request\tover floor\trequests/s\tp50\tp99\tpeak RSS\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%s\t%.2f µs\t%.2f\t%.0f\t%d µs\t%d µs\t%.1f MiB\t\n", r.Peer, kind(r.Keep),
			float64(r.CPU.Nanoseconds())/1e3, r.Ratio, r.Rate, r.P50.Microseconds(), r.P99.Microseconds(), float64(r.RSS)/1024)
	}
	return w.Flush()
}

// build compiles the peers.
func build(dir string) error {
	commands := [][]string{
		{"cc", "-O2", "-Wall", "-Wextra", "-o", dir + "/floor", "bench/peers/floor/floor.c"},
		{"go", "build", "-o", dir + "/", "./examples/hello", "./bench/peers/nethttpfcgi"},
	}
	for _, c := range commands {
		cmd := exec.Command(c[0], c[1:]...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w (run from the top of the repository)", strings.Join(c, " "), err)
		}
	}
	return nil
}

// measure gives a peer the load several times and returns the best.
func measure(p peer, dir string, rounds int, l load) (result, error) {
	l.socket = filepath.Join(dir, "socket")
	os.Remove(l.socket)
	server := exec.Command("taskset", append([]string{"-c", "0"}, p.args(dir, l.socket)...)...)
	server.Env = append(os.Environ(), "GOMAXPROCS=1")
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return result{}, err
	}
	defer server.Wait()
	defer server.Process.Kill()
	if err := waitFor(l.socket); err != nil {
		return result{}, err
	}
	warm := l
	warm.requests = l.requests / 10
	if _, err := warm.run(); err != nil {
		return result{}, err
	}
	best := result{Peer: p.name, Keep: l.keep}
	for range rounds {
		before, start := cpuTime(server.Process.Pid), time.Now()
		took, err := l.run()
		if err != nil {
			return result{}, err
		}
		cpu := (cpuTime(server.Process.Pid) - before) / time.Duration(l.requests)
		if best.CPU == 0 || cpu < best.CPU {
			best.CPU = cpu
			best.Rate = float64(l.requests) / time.Since(start).Seconds()
			best.P50, best.P99 = took[len(took)/2], took[len(took)*99/100]
		}
	}
	best.RSS = peakRSS(server.Process.Pid)
	return best, nil
}

func waitFor(socket string) error {
	for range 200 {
		if _, err := os.Stat(socket); err == nil {
			return nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	return fmt.Errorf("no socket after 5 s")
}

// pinSelf moves this process to the second core.
func pinSelf() error {
	return exec.Command("taskset", "-a", "-p", "-c", "1", strconv.Itoa(os.Getpid())).Run()
}

// cpuTime returns the user and system time of a process, in nanoseconds as the
// scheduler counts them.
func cpuTime(pid int) time.Duration {
	var total time.Duration
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue
		}
		ns, _ := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		total += time.Duration(ns)
	}
	return total
}

// peakRSS returns the most memory that a process has had, in KiB.
func peakRSS(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	fields := strings.Fields(string(b))
	if i := slices.Index(fields, "VmHWM:"); i >= 0 {
		n, _ := strconv.Atoi(fields[i+1])
		return n
	}
	return 0
}
