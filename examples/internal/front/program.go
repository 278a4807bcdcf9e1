package front

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// runProgram is the environment variable that makes a test binary be the
// program that it tests.
const runProgram = "FASTCGI_EXAMPLE_RUN"

// A Program is an example that runs in a process of its own.
type Program struct {
	*Front
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan struct{}
	err    error // how it ended
}

// Start runs the example whose test binary this is with -listen and args.
func Start(t testing.TB, args ...string) *Program {
	t.Helper()
	f := newFront(t)
	p := newProgram(f, append(args, "-listen", "unix:"+f.Path))
	p.start(t)
	p.await(t)
	return p
}

// StartInherited runs it with the listening socket as descriptor 0, as a web
// server would.
func StartInherited(t testing.TB, args ...string) *Program {
	t.Helper()
	f := newFront(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: f.Path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	p := newProgram(f, args)
	p.cmd.Stdin = socket
	p.start(t)
	return p
}

// Run runs it to its end, for a command line that is wrong, and returns what it
// said and whether it exited with status 0.
func Run(t testing.TB, args ...string) (stderr string, ok bool) {
	t.Helper()
	p := newProgram(nil, args)
	p.start(t)
	err := p.Wait()
	return p.stderr.String(), err == nil
}

func newProgram(f *Front, args []string) *Program {
	p := &Program{Front: f, cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), runProgram+"=1")
	p.cmd.Stderr = &p.stderr
	return p
}

func (p *Program) start(t testing.TB) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended already, as a rule
		<-p.ended
		if t.Failed() {
			t.Logf("the program says:\n%s", p.stderr.String())
		}
	})
}

// await waits until the program accepts connections.
func (p *Program) await(t testing.TB) {
	t.Helper()
	for {
		c, err := net.Dial("unix", p.Path)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-p.ended:
			t.Fatalf("the program ended: %v", p.err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Wait returns how the program ended: nil if it exited with status 0.
func (p *Program) Wait() error {
	<-p.ended
	return p.err
}

// Stop asks the program to end, and fails the test unless it then exits with
// status 0 (A47). It returns what the program has said.
func (p *Program) Stop(t testing.TB) (stderr string) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGTERM the program ended with %v", err)
	}
	return p.stderr.String()
}
