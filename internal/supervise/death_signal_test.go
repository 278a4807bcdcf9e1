//go:build linux || freebsd

package supervise_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// F15: a supervisor that is killed leaves no process behind.
func TestWorkersDieWithTheirSupervisor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	supervisor := exec.Command(os.Args[0], path)
	supervisor.Env = withRole("supervisor")
	supervisor.Stderr = os.Stderr
	out, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line != "supervising\n" {
		supervisor.Process.Kill()
		t.Errorf("the supervisor says %q", line)
	}
	workers := []*visit{call(t, path), call(t, path)}
	supervisor.Process.Kill()
	supervisor.Wait()
	for _, worker := range workers {
		worker.waitForDeath()
	}
}
