//go:build linux || freebsd

package supervise_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// F15: a supervisor that is killed leaves no process behind.
func TestWorkersDieWithTheirSupervisor(t *testing.T) {
	supervisor := exec.Command(os.Args[0])
	supervisor.Env = withRole("supervisor")
	supervisor.Stderr = os.Stderr
	out, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { supervisor.Process.Kill() })
	var path string
	if _, err := fmt.Fscanln(out, &path); err != nil {
		t.Fatalf("the supervisor does not say where its socket is: %v", err)
	}
	workers := []*visit{call(t, path), call(t, path)}
	supervisor.Process.Kill()
	supervisor.Wait()
	for _, worker := range workers {
		worker.waitForDeath()
	}
}
