//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// results is where the last whole run is kept.
const results = "bench/unread/RESULTS.md"

// slack is how many MiB the process may have beyond MemoryLimit and what its connections
// cost, and collectAt how many of these the heap may have before the garbage collector does
// all it can.
const (
	slack     = 64
	collectAt = 56
)

// connKiB is what an idle connection costs, by driver, as docs/limits.md has it.
var connKiB = map[string]int{"loop": 1, "goroutine": 6}

const mib = 1 << 20

// most is what the process may have, in bytes.
func (s *settings) most(name string) int64 {
	driver, _, _ := strings.Cut(name, "/")
	return int64(s.limit+slack)*mib + int64(s.conns)*int64(connKiB[driver])<<10
}

// verdict returns an error if the process had more memory than it should have.
func (r *row) verdict(s *settings) error {
	if most := s.most(r.name); r.peak > most {
		return fmt.Errorf("the process had %s, more than %s", inMiB(r.peak), inMiB(most))
	}
	return nil
}

// table is the report, in Markdown.
func (s *settings) table(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Answers that nobody reads

The last whole run of `+"`make memory`"+`, which writes this file. %d connections ask for %d answers of %d KiB each,
%.0f GiB in all, and read none of them; %d others ask and read meanwhile. Server.MemoryLimit is %d MiB, and the environment
has GOMEMLIMIT=%dMiB. What the process has had at most (VmHWM) may be MemoryLimit, %d MiB, and what the idle
connections cost by themselves: 1 KiB each with the loop, 6 KiB with goroutines. The last column has it without GOMEMLIMIT,
when the garbage collector lets the heap grow further.

%s, %s, %s/%s, Linux %s, %d processors, commit %s.

| server | begun | waits | heap | stacks | peak | allowed | answers read | refused of these | slowest | peak without GOMEMLIMIT |
| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
`,
		s.conns, s.requests, s.size>>10, float64(s.conns)*float64(s.requests)*float64(s.size)/(1<<30), readers, s.limit, s.limit+collectAt,
		slack, time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, kernel(),
		runtime.NumCPU(), commit())
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | **%s** | %s | %d | %d | %.1f s | %s |\n", strings.Replace(r.name, "/", ", ", 1), r.begun,
			inMiB(r.buffered), inMiB(int64(r.heap)), inMiB(int64(r.stacks)), inMiB(r.peak), inMiB(s.most(r.name)), r.answered, r.refused, r.slowest.Seconds(),
			inMiB(r.uncollected))
	}
	b.WriteString(`
Of the requests, so many had begun: the others were refused, as OVERLOADED. What waits is what the server itself counts, in
` + "`Stats.BufferedBytes`" + `.
`)
	return b.String()
}

func inMiB(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/mib) }

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--tags").Output()
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(out))
}
