package interop_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The tools that start applications or talk to them, looked for as web servers are.
var (
	spawnFCGI  = &webServer{program: "spawn-fcgi", debian: "spawn-fcgi"}
	multiwatch = &webServer{program: "multiwatch", debian: "multiwatch"}
	cgiFCGI    = &webServer{program: "cgi-fcgi", debian: "libfcgi-bin"}
)

// spawned puts a place and the probe into a file of docs/spawn.
func spawned(t *testing.T, p *place, probe, file string) string {
	t.Helper()
	text := strings.ReplaceAll(printed(t, "spawn", file), "/usr/local/bin/app", probe)
	text = strings.NewReplacer("-a 127.0.0.1 -p 9000", "-a "+strings.Replace(p.tcp, ":", " -p ", 1), "/run/app/app.pid", p.path("app.pid")).Replace(text)
	return p.fill(text)
}

// Each file is printed on the page, as it is.
func TestSpawnPage(t *testing.T) {
	t.Parallel()
	page := readFile(t, "../docs/spawn.md")
	for _, file := range configurations(t, "spawn") {
		if !strings.Contains(page, "\n"+printed(t, "spawn", file)+"```\n") {
			t.Errorf("docs/spawn.md does not print %s as it is", file)
		}
	}
}

// A44: the application finds the socket on descriptor 0, Unix or TCP, also when several processes share it. Each ends on
// SIGTERM, and the others go on.
func TestSpawnFCGI(t *testing.T) {
	t.Parallel()
	spawnFCGI.find(t)
	probe := buildProbe(t)
	for file, tt := range map[string]struct {
		addr      func(*place) string
		processes int
	}{
		"unix.sh":    {func(p *place) string { return p.socket }, 1},
		"tcp.sh":     {func(p *place) string { return p.tcp }, 1},
		"several.sh": {func(p *place) string { return p.socket }, 4},
	} {
		t.Run(file, func(t *testing.T) {
			p := newPlace(t)
			killAll(t, probe)
			if out, err := exec.Command("/bin/sh", "-c", spawned(t, p, probe, file)).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			pids := strings.Fields(p.read(t, "app.pid"))
			if len(pids) != tt.processes {
				t.Errorf("%q in the file of process ids", pids)
			}
			for _, pid := range pids {
				if got := ask(t, tt.addr(p), "do=ignore"); !strings.HasSuffix(got, "ignored\n") {
					t.Errorf("got %q", got)
				}
				terminate(t, pid)
			}
		})
	}
}

// terminate sends SIGTERM to a process and waits until it has ended.
func terminate(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "process "+pid+" ends", func() bool { return !isRunning(pid) })
}

// isRunning reports whether there is a process, be it nobody's child; one that nobody waits for does not count.
func isRunning(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// processes returns the ids of the processes that run a program.
func processes(t *testing.T, program string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil && path == program {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}

// killAll ends what is left of a program, which nobody else runs, when the test ends.
func killAll(t *testing.T, program string) {
	t.Cleanup(func() {
		for _, pid := range processes(t, program) {
			if n, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(n, syscall.SIGKILL) // it fails if it has just ended
			}
		}
	})
}

// call returns a command that has cgi-fcgi ask an application at an address.
func call(t *testing.T, addr, query string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(cgiFCGI.find(t), "-bind", "-connect", addr)
	cmd.Env = []string{"REQUEST_METHOD=GET", "SERVER_PROTOCOL=HTTP/1.1", "QUERY_STRING=" + query}
	return cmd
}

// ask returns an application's whole answer.
func ask(t *testing.T, addr, query string) string {
	t.Helper()
	out, err := call(t, addr, query).Output()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return string(out)
}

func TestMultiwatch(t *testing.T) {
	t.Parallel()
	spawnFCGI.find(t)
	multiwatch.find(t)
	probe := buildProbe(t)
	p := newPlace(t)
	killAll(t, probe)
	command := strings.Fields(setting(t, spawned(t, p, probe, "multiwatch.service"), "ExecStart"))
	watch := start(t, syscall.SIGTERM, exec.Command(command[0], command[1:]...))
	const forks = 4
	all := func() bool { return len(processes(t, probe)) == forks }
	eventually(t, "there are four processes", all)

	first := processes(t, probe)[0]
	n, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the one that died is replaced", func() bool { return !isRunning(first) && all() })

	t.Run("stop", func(t *testing.T) { stopsWithin(t, p, probe, watch) })
}

// stopsWithin does what systemd does to stop a unit, while a request is under way. That is finished, and then all ends.
func stopsWithin(t *testing.T, p *place, probe string, watch *process) {
	under := call(t, p.socket, "do=stream&n=2&ms=300")
	out, err := under.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := under.Start(); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(out)
	for line := ""; line != "chunk 0\n"; {
		if line, err = answer.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	pids := processes(t, probe)
	if err := watch.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		terminate(t, pid)
	}
	if line, err := answer.ReadString('\n'); line != "chunk 1\n" {
		t.Errorf("the request under way ends with %q, %v", line, err)
	}
	if err := under.Wait(); err != nil {
		t.Error(err)
	}
	eventually(t, "nothing is started any more", func() bool { return len(processes(t, probe)) == 0 })
}

func TestCgiFcgi(t *testing.T) {
	t.Parallel()
	cgiFCGI.find(t)
	probe := buildProbe(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			p := newPlace(t)
			startProbe(t, probe, "unix:"+p.socket, "-mode", mode)
			t.Run("printed", func(t *testing.T) {
				out, err := exec.Command("/bin/sh", "-c", spawned(t, p, probe, "call.sh")).Output()
				if err != nil || !bytes.Contains(out, []byte(`"QUERY_STRING":"do=params"`)) {
					t.Errorf("got %s, %v", out, err)
				}
			})
			t.Run("appStatus", func(t *testing.T) { exits(t, p) })
			t.Run("stderr", func(t *testing.T) {
				cmd := call(t, p.socket, "do=stderr&text=in+trouble")
				var said bytes.Buffer
				cmd.Stderr = &said
				if out, err := cmd.Output(); err != nil || !bytes.HasSuffix(out, []byte("\nok\n")) || !strings.Contains(said.String(), "in trouble") {
					t.Errorf("got %q, said %q, %v", out, said.String(), err)
				}
			})
			t.Run("upload", func(t *testing.T) {
				const length = 3_000_000
				cmd := call(t, p.socket, "do=digest")
				cmd.Env = append(cmd.Env, "REQUEST_METHOD=POST", fmt.Sprint("CONTENT_LENGTH=", length))
				cmd.Stdin = noise(length)
				if out, err := cmd.Output(); err != nil || !strings.HasSuffix(string(out), noiseDigest(t, length)) {
					t.Errorf("got %q, %v", out, err)
				}
			})
			t.Run("killed", func(t *testing.T) { killed(t, p) })
		})
	}
}

// exits compares appStatus with what the shell would see of it (A36).
func exits(t *testing.T, p *place) {
	for status, want := range map[uint32]int{0: 0, 5: 5, 938: 938 % 256, 0xFFFFFFFF: 255} {
		err := call(t, p.socket, fmt.Sprint("do=exit&code=", status)).Run()
		got := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			got = exit.ExitCode()
		}
		if got != want {
			t.Errorf("appStatus %d: exit status %d, %v", status, got, err)
		}
	}
}

// killed has cgi-fcgi die while it waits. The application learns of it.
func killed(t *testing.T, p *place) {
	cmd := call(t, p.socket, fmt.Sprint("do=stream&n=2&ms=", hour))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	eventually(t, "the application sees that it is gone", func() bool {
		return strings.HasSuffix(ask(t, p.socket, "do=aborts"), "\n1\n")
	})
}

// As a CGI program, cgi-fcgi starts the application, with descriptor 0, and finds it again.
func TestCgiFcgiStarts(t *testing.T) {
	t.Parallel()
	cgiFCGI.find(t)
	probe := buildProbe(t)
	p := newPlace(t)
	killAll(t, probe)
	program := p.write(t, "app.cgi", spawned(t, p, probe, "app.cgi"))
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		cmd := exec.Command(program)
		cmd.Env = call(t, p.socket, "do=ignore").Env
		if out, err := cmd.Output(); err != nil || !bytes.HasSuffix(out, []byte("ignored\n")) {
			t.Errorf("got %q, %v", out, err)
		}
		if pids := processes(t, probe); len(pids) != 2 {
			t.Errorf("%d processes", len(pids))
		}
	}
}
