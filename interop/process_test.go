package interop_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience is how long tests wait for what is sure to come; only a failure takes that long.
const patience = 20 * time.Second

// A process is a program that a test runs.
type process struct {
	cmd    *exec.Cmd
	output output
	ended  chan struct{}
	err    error // how it ended; valid once ended is closed
}

// start runs a program until the end of the test, when it gets the signal stop and, unless that is os.Kill, has to exit
// with status 0. A program built with the race detector does not when that found something.
func start(t *testing.T, stop os.Signal, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	// The race detector has a process linger for a second, in case other threads have something to report.
	cmd.Env = append(cmd.Environ(), "GORACE=atexit_sleep_ms=50")
	cmd.SysProcAttr = endWithParent()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop(t, stop)
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd, p.output.String())
		}
	})
	return p
}

// stop ends the process, unless it has ended before.
func (p *process) stop(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%s: %v", p.cmd, err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("%s does not end on %v", p.cmd, signal)
		_ = p.cmd.Process.Kill() // it fails if the process has ended just now
		<-p.ended
	}
	if p.err != nil && signal != os.Kill {
		t.Errorf("%s: %v", p.cmd, p.err)
	}
}

// eventually fails the test unless the condition comes true, while the test has time.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for ; t.Context().Err() == nil && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("gave up waiting: %s", what)
}

// An output collects what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
