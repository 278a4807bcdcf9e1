package fcgi_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/programs"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// childVariable has a process of this test binary be an application: it names the implementation.
const childVariable = "FCGI_TEST_CHILD"

// playChild is the application: main, as programs have it, with a listening socket for standard input.
func playChild(name string) int {
	serve := ours.serve
	if name == standard.name {
		serve = standard.serve
	}
	http.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("a bug") })
	http.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	fmt.Fprintln(os.Stderr, serve(nil, nil))
	return 1
}

// A child is an application in a process of its own, for what a process cannot survive, or inherits.
type child struct {
	t      *testing.T
	addr   string
	exited <-chan struct{}
}

// spawn starts an application as web servers do. The program is this test binary, or one like it.
func (impl implementation) spawn(t *testing.T, program string, env ...string) child {
	cmd := impl.command(program, env...)
	return run(t, cmd, func(socket *os.File) { cmd.Stdin = socket })
}

// activate starts an application as systemd does.
func (impl implementation) activate(t *testing.T) child {
	cmd := impl.command("sh")
	cmd.Args = append(cmd.Args, "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"`, thisProgram(t))
	return run(t, cmd, func(socket *os.File) { cmd.ExtraFiles = []*os.File{socket} })
}

// run starts a program that is passed a listening socket, which is its own alone.
func run(t *testing.T, cmd *exec.Cmd, pass func(socket *os.File)) child {
	if runtime.GOOS == "windows" {
		t.Skip("a process does not inherit sockets as files on Windows")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	pass(socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, or worse
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // unless it has died already
		<-exited
	})
	return child{t, l.Addr().String(), exited}
}

func (impl implementation) command(program string, env ...string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Env = append(append(os.Environ(), childVariable+"="+impl.name), env...)
	return cmd
}

// thisProgram is the test binary.
func thisProgram(t *testing.T) string {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// program32 is the test binary for a processor with ints of 32 bits.
func program32(t *testing.T) string {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("runs a program for linux/386, which takes linux/amd64")
	}
	return programs.FCGI386.Build(t)
}

// patience is how long a child may take before a test gives up on it.
const patience = 20 * time.Second

// cutOff is what comes of records that are not answered.
const cutOff = "connection closed"

// ask sends records on a connection of their own and says what came of it.
func (c child) ask(records ...[]byte) string {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return cutOff
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	for _, r := range records {
		if _, err := conn.Write(r); err != nil {
			break // closed, as reading tells
		}
	}
	return c.read(conn)
}

// read reads up to END_REQUEST, or to the end.
func (c child) read(conn net.Conn) string {
	w := &web{Conn: conn}
	buf := make([]byte, 4<<10)
	for {
		n, err := conn.Read(buf)
		w.received = append(w.received, buf[:n]...)
		switch a := w.answer(1); {
		case len(a.ends) > 0:
			return describe(a)
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.t.Fatal("no answer, and the connection is open")
		case err != nil:
			return cutOff
		}
	}
}

// fate is what became of a child that has cut a connection off.
func (c child) fate() string {
	select {
	case <-c.exited:
		return "the process ends"
	case <-time.After(patience):
		return cutOff // the connection alone
	}
}

// describe says in short what an answer is.
func describe(a answer) string {
	var parts []string
	if code, _, _ := strings.Cut(a.status(), " "); code != "" {
		parts = append(parts, "status "+code)
	}
	for _, e := range a.ends {
		if e.Status != protocol.StatusRequestComplete {
			parts = append(parts, e.Status.String())
		}
		if e.AppStatus != 0 {
			parts = append(parts, fmt.Sprint("appStatus ", e.AppStatus))
		}
	}
	return strings.Join(parts, ", ")
}
