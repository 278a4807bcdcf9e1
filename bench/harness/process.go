//go:build linux

package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Process is a program with all its children, which listens on a socket.
type Process struct {
	Socket string // where it listens: a path, or host:port
	cmd    *exec.Cmd
	said   tail
	ended  chan struct{} // closed when it has
}

// StartProcess starts a program on one processor, and returns when it listens.
func StartProcess(ctx context.Context, core int, socket string, args, env []string) (*Process, error) {
	os.Remove(socket)
	p, err := launch(ctx, core, args, env)
	if err != nil {
		return nil, err
	}
	p.Socket = socket
	if err := p.await(); err != nil {
		p.Stop()
		return nil, p.Explain(err)
	}
	return p, nil
}

// Output runs a program on one processor to its end, and returns what it prints.
func Output(ctx context.Context, core int, args []string) ([]byte, error) {
	var out bytes.Buffer
	var said tail
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &said
	err := OnCore(core, cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, said.String())
	}
	return out.Bytes(), nil
}

// launch starts a program on one processor.
func launch(ctx context.Context, core int, args, env []string) (*Process, error) {
	p := &Process{cmd: exec.CommandContext(ctx, args[0], args[1:]...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	// A group of its own is what tells its children from others.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = p.kill
	if err := OnCore(core, p.cmd.Start); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		// How it ends is of no interest: it is killed, or what it said is.
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// await returns when the program listens. It does not connect to a Unix socket,
// which there are peers that do not bear without a request.
func (p *Process) await() error {
	for range 400 {
		switch listening, err := isListening(p.Socket); {
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
	if !filepath.IsAbs(socket) {
		c, err := net.Dial("tcp", socket)
		if err == nil {
			err = c.Close()
		}
		return err == nil, nil
	}
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

func (p *Process) kill() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// Stop ends the program and its children.
func (p *Process) Stop() {
	// It fails when all have ended, which is what is wanted.
	_ = p.kill()
	<-p.ended
}

// Explain adds what the program said to an error.
func (p *Process) Explain(err error) error {
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
