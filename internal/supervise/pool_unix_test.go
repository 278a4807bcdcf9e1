//go:build unix

package supervise_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

// A stage is a pool whose workers play a role, and what happens on it.
type stage struct {
	pool   *supervise.Pool
	path   string
	events chan supervise.Event // more than any test causes
}

func newStage(t *testing.T, role string, workers int) *stage {
	t.Helper()
	socket := listen(t)
	s := &stage{path: socket.Path(), events: make(chan supervise.Event, 1000)}
	s.pool = &supervise.Pool{
		Command: []string{os.Args[0]},
		Env:     withRole(role),
		Workers: workers,
		Socket:  socket.File,
		Notify:  func(ev supervise.Event) { s.events <- ev },
	}
	return s
}

// start starts the pool, and ends it by force after the test at the latest.
func (s *stage) start(t *testing.T) {
	t.Helper()
	if err := s.pool.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.pool.Shutdown(over()) })
}

// next returns the next event of a kind, skipping others.
func (s *stage) next(kind supervise.EventKind) supervise.Event {
	for ev := range s.events {
		if ev.Kind == kind {
			return ev
		}
	}
	return supervise.Event{}
}

// over is a context that is done.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// A visit is a connection with a worker, which lasts as long as both live.
type visit struct {
	net.Conn
	in   *bufio.Reader
	role string
	pid  int
}

func call(t *testing.T, path string) *visit {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	v := &visit{Conn: conn, in: bufio.NewReader(conn)}
	if _, err := fmt.Fscanln(v.in, &v.role, &v.pid); err != nil {
		t.Fatalf("no worker introduced itself: %v", err)
	}
	return v
}

// waitForDeath returns once the process at the other end has died, of whatever.
func (v *visit) waitForDeath() { io.Copy(io.Discard, v.in) }

func TestWorkersShareTheSocket(t *testing.T) {
	s := newStage(t, "hold", 3)
	s.start(t)
	var pids []int
	for range 3 { // each worker takes one connection
		pids = append(pids, call(t, s.path).pid)
	}
	slices.Sort(pids)
	var started []int
	for range 3 {
		started = append(started, s.next(supervise.Started).PID)
	}
	slices.Sort(started)
	if len(slices.Compact(pids)) != 3 || !slices.Equal(pids, started) {
		t.Errorf("connections went to %v, the workers are %v", pids, started)
	}
}

// A worker that a terminal's Ctrl-C reached as well could not finish what it is at.
func TestWorkerLeadsItsOwnGroup(t *testing.T) {
	s := newStage(t, "hold", 1)
	s.start(t)
	v := call(t, s.path)
	if group, err := unix.Getpgid(v.pid); err != nil || group != v.pid {
		t.Errorf("the worker %d is in group %d (%v)", v.pid, group, err)
	}
}

// F14: a dead worker is replaced, and connections wait for the new one in the meantime.
func TestDeadWorkerIsReplaced(t *testing.T) {
	s := newStage(t, "hold", 1)
	s.start(t)
	first := call(t, s.path)
	syscall.Kill(first.pid, syscall.SIGKILL)
	second := call(t, s.path)
	if second.pid == first.pid {
		t.Errorf("the worker is %d again", first.pid)
	}
	ended := s.next(supervise.Ended)
	var exit *exec.ExitError
	if ended.PID != first.pid || ended.Restart != 100*time.Millisecond || !errors.As(ended.Err, &exit) {
		t.Errorf("the first worker, %d, ended as %+v", first.pid, ended)
	}
}

// F14: the pauses double. How far is backoff's own test.
func TestPausesGrow(t *testing.T) {
	s := newStage(t, "exit", 1)
	s.start(t)
	for _, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
		ended := s.next(supervise.Ended)
		var exit *exec.ExitError
		if !errors.As(ended.Err, &exit) || exit.ExitCode() != 3 || ended.Restart != want {
			t.Errorf("got %+v, want exit status 3 and a pause of %v", ended, want)
		}
	}
}

func TestVanishedProgramIsTriedAgain(t *testing.T) {
	s := newStage(t, "hold", 1)
	program := filepath.Join(t.TempDir(), "program")
	if err := os.Symlink(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	s.pool.Command = []string{program}
	s.start(t)
	os.Remove(program)
	fmt.Fprintln(call(t, s.path), "exit 0")

	if ended := s.next(supervise.Ended); ended.Err != nil || ended.PID == 0 {
		t.Errorf("exit 0 is %+v", ended)
	}
	ended := s.next(supervise.Ended)
	if !errors.Is(ended.Err, fs.ErrNotExist) || ended.PID != 0 || ended.Restart != 200*time.Millisecond {
		t.Errorf("a start without the program is %+v", ended)
	}
	if err := os.Symlink(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	call(t, s.path)
}

func TestOutputComesInLines(t *testing.T) {
	s := newStage(t, "print", 1)
	s.start(t)
	for _, want := range []string{"out 1", "out 2", "err\xff 1", "", "err 3, unfinished"} {
		if ev := s.next(supervise.Wrote); ev.Line != want || ev.Worker != 1 || ev.PID == 0 {
			t.Errorf("got %+v, want the line %q", ev, want)
		}
	}
	if ended := s.next(supervise.Ended); ended.Err != nil {
		t.Errorf("exit status 0 is %v", ended.Err)
	}
}

func TestStartSaysWhyNot(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]error{
		"no-such-program-anywhere": exec.ErrNotFound,
		"./no-such-program":        fs.ErrNotExist,
		plain:                      fs.ErrPermission,
	} {
		s := newStage(t, "hold", 2)
		s.pool.Command = []string{program}
		if err := s.pool.Start(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", program, err, want)
		}
		if len(s.events) != 0 {
			t.Errorf("%s: there was an event, %+v", program, <-s.events)
		}
	}
}

func TestShutdownLetsWorkersFinish(t *testing.T) {
	s := newStage(t, "obey", 2)
	s.start(t)
	for range 2 {
		s.next(supervise.Wrote) // "ready"
	}
	if err := s.pool.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	close(s.events)
	var said, ended int
	for ev := range s.events {
		switch {
		case ev.Kind == supervise.Wrote && ev.Line == "bye":
			said++
		case ev.Kind == supervise.Ended && ev.Err == nil && ev.Restart == 0:
			ended++
		default:
			t.Errorf("unexpected: %+v", ev)
		}
	}
	if said != 2 || ended != 2 {
		t.Errorf("%d of 2 said bye, %d of 2 ended well", said, ended)
	}
}

func TestShutdownInsists(t *testing.T) {
	s := newStage(t, "ignore", 1)
	s.start(t)
	s.next(supervise.Wrote) // "ready"
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if ev := s.next(supervise.Wrote); ev.Line == "no" { // it has the SIGTERM
			cancel()
		}
	}()
	if err := s.pool.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if ended := s.next(supervise.Ended); fmt.Sprint(ended.Err) != "signal: killed" || ended.Restart != 0 {
		t.Errorf("got %+v", ended)
	}
}

// F13: what a second signal asks for.
func TestShutdownAtOnce(t *testing.T) {
	s := newStage(t, "ignore", 2)
	s.start(t)
	s.pool.Shutdown(over())
	s.pool.Shutdown(over()) // and again, which changes nothing
	for range 2 {
		if ended := s.next(supervise.Ended); ended.Err == nil || ended.Restart != 0 {
			t.Errorf("got %+v", ended)
		}
	}
}

func TestShutdownCutsThePauseShort(t *testing.T) {
	s := newStage(t, "exit", 1)
	s.start(t)
	for s.next(supervise.Ended).Restart < 800*time.Millisecond {
	}
	if err := s.pool.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if len(s.events) != 0 {
		t.Errorf("there was an event, %+v", <-s.events)
	}
}

func TestWhatAWorkerLeavesBehindIsKilled(t *testing.T) {
	s := newStage(t, "parent", 1)
	s.start(t)
	both := map[string]*visit{}
	for range 2 {
		v := call(t, s.path)
		both[v.role] = v
	}
	fmt.Fprintln(both["parent"], "exit 0")
	both["hold"].waitForDeath()
	if ended := s.next(supervise.Ended); ended.PID != both["parent"].pid {
		t.Errorf("got %+v", ended)
	}
}

// A daemon cannot be found any more, but must not hold up the worker's successor by holding on to its standard error.
func TestDaemonHoldsNothingUp(t *testing.T) {
	s := newStage(t, "daemon", 1)
	s.pool.Command = append(s.pool.Command, filepath.Join(t.TempDir(), "first"))
	s.start(t)
	both := map[string]*visit{}
	for range 2 {
		v := call(t, s.path)
		both[v.role] = v
	}
	fmt.Fprintln(both["parent"], "exit 4")
	if ended := s.next(supervise.Ended); fmt.Sprint(ended.Err) != "exit status 4" {
		t.Errorf("got %+v", ended)
	}
	fmt.Fprintln(both["hold"], "exit 0") // it was alive all the time
	both["hold"].waitForDeath()
}
