//go:build unix

package listen_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// The variables that make the test binary another process's part in a test.
const (
	childRole   = "LISTEN_TEST_ROLE"   // one of the roles below
	childReport = "LISTEN_TEST_REPORT" // the file to write the report to: standard output may be closed

	roleEnvironment = "environment" // calls Environment
	roleListen      = "listen"      // calls Listen("")
	roleGrandchild  = "grandchild"
)

// A report is what a child has seen.
type report struct {
	Err        string
	CGI        bool
	Listeners  []listenerReport
	SecondErr  string // of a second call of Environment
	StdinEmpty bool
	Grandchild string // what a process started by the child inherits
}

type listenerReport struct {
	Network, Addr, Name string
	Fd, ConnFd          int
}

func runChild(role string) {
	if role == roleGrandchild {
		io.WriteString(os.Stdout, inheritance())
		return
	}
	text, err := json.Marshal(useEnvironment(role))
	if err == nil {
		err = os.WriteFile(os.Getenv(childReport), text, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

// useEnvironment takes over the sockets and greets one connection on each.
func useEnvironment(role string) (r report) {
	ls, err := resolve(role)
	if err != nil {
		return report{Err: err.Error(), CGI: errors.Is(err, listen.ErrCGI)}
	}
	for _, l := range ls {
		r.Listeners = append(r.Listeners, greet(l))
	}
	r.Grandchild = startGrandchild()
	for _, l := range ls {
		l.Close()
	}
	if again, err := listen.Environment(nil); err != nil {
		r.SecondErr = err.Error()
	} else {
		again[0].Close()
	}
	rest, err := io.ReadAll(os.Stdin)
	r.StdinEmpty = err == nil && len(rest) == 0
	return r
}

func resolve(role string) ([]net.Listener, error) {
	if role == roleEnvironment {
		return listen.Environment(nil)
	}
	l, err := listen.Listen("", nil)
	return []net.Listener{l}, err
}

// greet accepts one connection and writes a word to it.
func greet(l net.Listener) listenerReport {
	fd, _ := listen.Fd(l)
	r := listenerReport{Network: l.Addr().Network(), Addr: l.Addr().String(), Name: l.(*listen.Listener).Name(), Fd: int(fd)}
	c, err := l.Accept()
	if err != nil {
		return r
	}
	defer c.Close()
	r.ConnFd = connFd(c)
	io.WriteString(c, "hello")
	return r
}

// startGrandchild starts a process the way an application would and returns what it has inherited.
func startGrandchild() string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+roleGrandchild)
	out, err := cmd.Output()
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// inheritedSockets names the descriptors above standard error that are sockets.
func inheritedSockets() (found []string) {
	for fd := 3; fd < 64; fd++ {
		if _, err := syscall.Getsockname(fd); err == nil {
			found = append(found, "fd "+strconv.Itoa(fd))
		}
	}
	return found
}

// inheritance names the LISTEN_ variables and the sockets that this process was started with.
func inheritance() string {
	var found []string
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "LISTEN_") && !strings.HasPrefix(variable, "LISTEN_TEST_") {
			found = append(found, variable)
		}
	}
	return strings.Join(append(found, inheritedSockets()...), " ")
}

// A child is a process to be started with a given environment and descriptors.
type child struct {
	role   string // roleEnvironment if empty
	env    []string
	stdin  *os.File
	extra  []*os.File // fd 3 and on
	script string     // run by sh instead of the child, which is "$0"
}

// run starts the child, calls connect while it runs, and returns its report.
func (c child) run(t *testing.T, connect func()) report {
	t.Helper()
	file := t.TempDir() + "/report"
	cmd := exec.CommandContext(t.Context(), testBinary(t))
	if c.script != "" {
		cmd = exec.CommandContext(t.Context(), "sh", "-c", c.script, testBinary(t))
	}
	cmd.Env = append(c.env, childRole+"="+cmp.Or(c.role, roleEnvironment), childReport+"="+file,
		"GORACE=atexit_sleep_ms=0") // the race detector waits a second at exit
	cmd.ExtraFiles = c.extra
	cmd.Stderr = os.Stderr
	if c.stdin != nil {
		cmd.Stdin = c.stdin
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	connect()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("child: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func testBinary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// connFd is the descriptor of a connection.
func connFd(c net.Conn) int {
	fd := -1
	if raw, err := c.(syscall.Conn).SyscallConn(); err == nil {
		raw.Control(func(f uintptr) { fd = int(f) })
	}
	return fd
}
