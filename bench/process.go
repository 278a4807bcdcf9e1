//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a program with all its children, which listens on a socket.
type process struct {
	socket string
	cmd    *exec.Cmd
	said   tail
	ended  chan struct{} // closed when it has
}

// start starts a peer for a task.
func (b *bench) start(ctx context.Context, p peer, t task) (*process, error) {
	socket := filepath.Join(b.dir, "socket")
	args, env := p.command(b, t, socket)
	return startProcess(ctx, b.cores.server, socket, args, env)
}

// startProcess starts a program on one processor, and returns when it listens.
func startProcess(ctx context.Context, core int, socket string, args, env []string) (*process, error) {
	os.Remove(socket)
	p, err := launch(ctx, core, args, env)
	if err != nil {
		return nil, err
	}
	p.socket = socket
	if err := p.await(); err != nil {
		p.stop()
		return nil, p.explain(err)
	}
	return p, nil
}

// launch starts a program on one processor.
func launch(ctx context.Context, core int, args, env []string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, args[0], args[1:]...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	// A group of its own is what tells its children from others.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = p.kill
	if err := onCore(core, p.cmd.Start); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		// How it ends is of no interest: it is killed, or what it said is.
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// await returns when the program listens. It does not connect, which there are
// peers that do not bear without a request.
func (p *process) await() error {
	for range 400 {
		switch listening, err := isListening(p.socket); {
		case err != nil:
			return err
		case listening:
			return nil
		}
		select {
		case <-p.ended:
			return errors.New("it ended before it listened")
		case <-time.After(25 * time.Millisecond):
		}
	}
	return errors.New("it does not listen after 10 s")
}

// isListening looks for a Unix socket that accepts connections: the kernel marks
// it with this flag.
func isListening(socket string) (bool, error) {
	const acceptsConnections = "00010000"
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) == 8 && f[3] == acceptsConnections && f[7] == socket {
			return true, nil
		}
	}
	return false, nil
}

func (p *process) kill() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// stop ends the program and its children.
func (p *process) stop() {
	// It fails when all have ended, which is what is wanted.
	_ = p.kill()
	<-p.ended
}

// explain adds what the program said to an error.
func (p *process) explain(err error) error {
	if said := p.said.String(); err != nil && said != "" {
		return fmt.Errorf("%w; it says %q", err, said)
	}
	return err
}

// A tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 500

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	t.kept = slices.Delete(t.kept, 0, max(0, len(t.kept)-tailSize))
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}
