package interop_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A trial is a test that may fail, and has little time for it.
type trial struct {
	testing.TB
	ctx context.Context

	mu       sync.Mutex
	failed   bool
	failures []string
}

// hopeless is how long a scenario gets that is expected to fail.
const hopeless = 2 * time.Second

// try runs a scenario and returns how it failed; nothing if it passed.
func try(t *testing.T, sc *scenario, s *site) string {
	ctx, cancel := context.WithTimeout(t.Context(), hopeless)
	defer cancel()
	tr := &trial{TB: t, ctx: ctx}
	done := make(chan struct{})
	// A goroutine of its own, because FailNow ends it.
	go func() {
		defer close(done)
		sc.run(tr, s)
	}()
	<-done
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.failed {
		return clip("fails: " + strings.Join(tr.failures, "; "))
	}
	return ""
}

func (t *trial) Context() context.Context { return t.ctx }

func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

func (t *trial) Fail() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = true
}

func (t *trial) FailNow() {
	t.Fail()
	runtime.Goexit()
}

func (t *trial) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = true
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

func (t *trial) Error(args ...any) { t.Errorf("%s", strings.TrimSpace(fmt.Sprintln(args...))) }

func (t *trial) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

func (t *trial) Fatal(args ...any) {
	t.Error(args...)
	runtime.Goexit()
}

// A scenario that is expected to fail may do so in any way that a test can.
func TestTrial(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		run  func(testing.TB, *site)
		want string
	}{
		"passes":     {func(testing.TB, *site) {}, ""},
		"Error":      {func(t testing.TB, _ *site) { t.Error("one", 2) }, "fails: one 2"},
		"Errorf":     {func(t testing.TB, _ *site) { t.Errorf("one %d", 2); t.Error("three") }, "fails: one 2; three"},
		"Fatal":      {func(t testing.TB, _ *site) { t.Fatal("one"); t.Error("not reached") }, "fails: one"},
		"FailNow":    {func(t testing.TB, _ *site) { t.FailNow(); t.Error("not reached") }, "fails: "},
		"never ends": {func(t testing.TB, _ *site) { eventually(t, "the end", func() bool { return false }) }, "the end"},
	} {
		t.Run(name, func(t *testing.T) {
			got := try(t, &scenario{name: name, run: tt.run}, nil)
			if !strings.Contains(got, tt.want) || got != "" && tt.want == "" {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
