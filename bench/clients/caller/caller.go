//go:build linux

// Package caller is what the client programs of the benchmark have in common: it
// reads their task from flags, has a client do it, verifies every answer, and prints
// what that cost the process.
package caller

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// A Task is what a client is to do.
type Task struct {
	Network, Addr string // of the application, as net.Dial takes them

	Way       string // which of a program's ways to call, where it has several
	Keep      bool   // connections are used again
	Multiplex bool   // all callers share a connection
	Callers   int    // at once
	Calls     int    // of all of them together
	Limit     time.Duration
	Body      int64 // bytes of each request's
	Answer    int64 // bytes of each answer's; 0 is "hello, world"
}

// A Call asks the application once, and gives the answer to the one that it is handed:
// to its CGI method with the header, or to its Body method without.
type Call func(*harness.Answer) error

// Figures are what calls took.
type Figures struct {
	Calls   int           `json:"calls"`
	CPU     time.Duration `json:"cpu_ns"` // of the process, altogether
	Elapsed time.Duration `json:"elapsed_ns"`
	Peak    int64         `json:"peak_memory_bytes"` // of the process, since it began
}

// Main is the program of a client. For each caller, newCall makes what only that one
// calls.
func Main(newCall func(Task) (Call, error)) {
	if err := run(newCall); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(newCall func(Task) (Call, error)) error {
	var t Task
	flag.StringVar(&t.Network, "network", "unix", "of the application: unix or tcp")
	flag.StringVar(&t.Addr, "addr", "", "of the application")
	flag.StringVar(&t.Way, "way", "", "which of this program's `ways` to call")
	flag.BoolVar(&t.Keep, "keep", false, "use connections again")
	flag.BoolVar(&t.Multiplex, "multiplex", false, "share one connection")
	flag.IntVar(&t.Callers, "callers", 1, "how many call at once")
	flag.IntVar(&t.Calls, "calls", 1, "how often they call, together")
	flag.DurationVar(&t.Limit, "limit", time.Minute, "end earlier after that")
	flag.Int64Var(&t.Body, "body", 0, "`bytes` of each request")
	flag.Int64Var(&t.Answer, "answer", 0, "`bytes` of each answer (default: hello, world)")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the calls to this `file`")
	flag.Parse()

	var callers []*caller
	for range t.Callers {
		call, err := newCall(t)
		if err != nil {
			return err
		}
		callers = append(callers, &caller{call: call})
	}
	// What is done only once is done before, and every byte is looked at.
	if _, err := t.round(callers, max(t.Callers, t.Calls/10), t.want()); err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	f, err := t.round(callers, t.Calls, t.measured())
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// want is what the answers have to be.
func (t *Task) want() harness.Want {
	switch {
	case t.Answer > 0:
		return harness.Want{Pattern: t.Answer}
	case t.Body > 0:
		return harness.Want{Text: fmt.Sprintln(t.Body)}
	}
	return harness.Want{Text: "hello, world\n"}
}

// measured is the same for calls that are measured: a long answer is only counted,
// because comparing is not what the client costs.
func (t *Task) measured() harness.Want {
	if t.Answer > 0 {
		return harness.Want{Length: t.Answer}
	}
	return t.want()
}

// A caller calls again and again.
type caller struct {
	call   Call
	answer harness.Answer
}

// round has the callers call so often.
func (t *Task) round(callers []*caller, calls int, want harness.Want) (f Figures, err error) {
	var (
		left  atomic.Int64
		done  atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		wrong error
	)
	left.Store(int64(calls))
	start, began := time.Now(), cpuTime()
	until := start.Add(t.Limit)
	for _, c := range callers {
		wg.Go(func() {
			n, err := c.work(&left, until, want)
			done.Add(n)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong = errors.Join(wrong, err)
			}
		})
	}
	wg.Wait()
	f = Figures{Calls: int(done.Load()), CPU: cpuTime() - began, Elapsed: time.Since(start)}
	if wrong == nil && f.Calls == 0 {
		wrong = errors.New("nothing was answered in time")
	}
	if f.Peak, err = peak(); err != nil {
		return f, err
	}
	return f, wrong
}

func (c *caller) work(left *atomic.Int64, until time.Time, want harness.Want) (n int64, err error) {
	c.answer.Want = want
	for left.Add(-1) >= 0 {
		if n > 0 && time.Now().After(until) {
			return n, nil
		}
		c.answer.Reset()
		if err := c.call(&c.answer); err != nil {
			return n, err
		}
		if err := c.answer.Verify(); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// cpuTime is what this process has used, in nanoseconds as the scheduler counts.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic(err) // every Linux has this clock
	}
	return time.Duration(ts.Nano())
}
