//go:build linux

package interop_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// lighttpdSpawns has lighttpd start the application, on fd 0. A new process takes over when lighttpd reloads.
func lighttpdSpawns(t *testing.T, p *place, app application) *site {
	t.Helper()
	installApp(t, p, app)
	s := lighttpd.run(t, p, "spawn.conf", "")
	s.requestBuffering = true
	s.restart = func(t testing.TB) {
		old := children(t, s.process)
		reloadLighttpd(t, s)
		awaitEnd(t, old)
	}
	return s
}

// installApp puts an application where the printed configuration has it started.
func installApp(t *testing.T, p *place, app application) {
	t.Helper()
	command := strings.Join(append([]string{app.program}, app.args...), " ")
	p.write(t, "app", "#!/bin/sh\nexec "+command+"\n")
	if err := os.Chmod(p.path("app"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// children returns the processes that a process has started, none if it runs no more.
func children(t testing.TB, p *process) []int {
	t.Helper()
	pid := p.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, child)
	}
	return pids
}

// running counts the processes that a process has started and that have come to run a program.
func running(t testing.TB, p *process, program string) int {
	t.Helper()
	n := 0
	for _, pid := range children(t, p) {
		// It fails if the process has ended meanwhile.
		if path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && path == program {
			n++
		}
	}
	return n
}

func awaitEnd(t testing.TB, pids []int) {
	t.Helper()
	eventually(t, "the application's processes end", func() bool {
		return !slices.ContainsFunc(pids, func(pid int) bool { return syscall.Kill(pid, 0) == nil })
	})
}

func lighttpdSpawn(t *testing.T, probe string) {
	t.Run("one process", func(t *testing.T) { lighttpdSpawnsOne(t, probe) })
	t.Run("several processes", func(t *testing.T) { lighttpdSpawnsSeveral(t, probe) })
}

// lighttpdSpawnsOne finds one process, with the environment that the configuration says. When it dies it is replaced.
func lighttpdSpawnsOne(t *testing.T, probe string) {
	p := newPlace(t)
	installApp(t, p, application{program: probe})
	s := lighttpd.run(t, p, "spawn.conf", "")
	// Before lighttpd has started itself, it would take the death of a process for a reason not to.
	s.get(t, "do=ignore").want(t, 200, "ignored\n")
	first := children(t, s.process)
	if len(first) != 1 {
		t.Fatalf("there are %d processes", len(first))
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", first[0]))
	if err != nil {
		t.Fatal(err)
	}
	variables := strings.Split(string(environment), "\x00")
	for _, want := range []string{"PATH=" + os.Getenv("PATH"), "GOMEMLIMIT=256MiB"} {
		if !slices.Contains(variables, want) {
			t.Errorf("the environment has no %s: %q", want, variables)
		}
	}
	if err := syscall.Kill(first[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the application is started again", func() bool {
		a := s.get(t, "do=ignore")
		return a.StatusCode == 200 && a.body == "ignored\n"
	})
	if second := children(t, s.process); slices.Equal(first, second) {
		t.Errorf("process %d is still there", first)
	}
	s.wantLog(t, "child signalled: 9")
}

// lighttpdSpawnsSeveral has the same application several times, each on a socket of its own. When one dies the others
// answer. All are ended with lighttpd.
func lighttpdSpawnsSeveral(t *testing.T, probe string) {
	const processes = 3
	var started []int
	t.Run("run", func(t *testing.T) {
		p := newPlace(t)
		installApp(t, p, application{program: probe})
		setting := `"max-procs"            => `
		s := lighttpd.edited(setting+"1", setting+strconv.Itoa(processes)).run(t, p, "spawn.conf", "")
		runScenario(t, s, "many requests, 64 at once")
		if started = children(t, s.process); len(started) != processes {
			t.Errorf("there are %d processes", len(started))
		}
		if err := syscall.Kill(started[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			s.get(t, "do=ignore").want(t, 200, "ignored\n")
		}
		// A process that has not come so far would not end with lighttpd: its signal is lost.
		eventually(t, "another one runs", func() bool { return running(t, s.process, probe) == processes })
	})
	awaitEnd(t, started)
}

// A program that ends is started again and again. If it ends at once, lighttpd may find out while it starts itself, and
// end as well.
func TestLighttpdSpawnFails(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	const complaint = "child exited: 1"
	wantExplained(t, lighttpd, complaint)
	p := newPlace(t)
	installApp(t, p, application{program: "/bin/sh", args: []string{"-c", "'sleep 0.5; exit 1'"}})
	s := lighttpd.run(t, p, "spawn.conf", "")
	if a := s.get(t, ""); a.StatusCode < 500 {
		t.Errorf("status %d", a.StatusCode)
	}
	s.wantLog(t, complaint)
}

// lighttpd complains beforehand of a program that is not there.
func TestLighttpdSpawnsNothing(t *testing.T) {
	t.Parallel()
	const complaint = `invalid "bin-path"`
	wantExplained(t, lighttpd, complaint)
	p := newPlace(t)
	site := p.write(t, "spawn.conf", p.fill(printed(t, "lighttpd", "spawn.conf")))
	cmd := lighttpd.command(t, lighttpd.find(t), p, site, "")
	// As Debian's unit does before it starts it.
	cmd.Args = append(cmd.Args, "-tt")
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), complaint) {
		t.Errorf("%v, %s", err, out)
	}
}
