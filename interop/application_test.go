package interop_test

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/programs"
)

// modes are the kinds of handlers that an application can have.
var modes = []string{"sync", "async", "http"}

// drivers are what can move the application's bytes.
func drivers() []string {
	if runtime.GOOS == "linux" {
		return []string{"goroutine", "loop"}
	}
	return []string{"goroutine"}
}

// An application is a program to run behind a web server: the probe with one kind of handlers, or the peer, which takes the
// same arguments. Where the web server starts it, it finds its socket itself.
type application struct {
	program string
	args    []string

	driver, mode string // of the probe, as args say
	first        bool   // of those in a setup
	disposable   bool   // it may be left with requests that never end, so it is killed
}

func (app application) String() string { return app.driver + ", " + app.mode }

// listen runs the application until the end of the test on an address, unix:/path or tcp:host:port, with a socket that is
// there before and after it: systemd's way. It returns what restarts it.
func (app application) listen(t *testing.T, addr string) (restart func(testing.TB)) {
	t.Helper()
	socket := openSocket(t, addr)
	begin := func() *process {
		command := strings.Join(append([]string{app.program}, app.args...), " ")
		if app.disposable {
			return startActivated(t, os.Kill, command, socket)
		}
		return startActivated(t, syscall.SIGTERM, command, socket)
	}
	running := begin()
	return func(t testing.TB) {
		running.stop(t, syscall.SIGTERM)
		running = begin()
	}
}

// openSocket returns a socket to which everybody may connect until the end of the test.
func openSocket(t *testing.T, addr string) *os.File {
	t.Helper()
	network, addr, _ := strings.Cut(addr, ":")
	var l net.Listener
	var err error
	// A process that another test starts may have the port for a moment, from when it was found to be free.
	eventually(t, "one can listen on "+addr, func() bool {
		l, err = net.Listen(network, addr)
		return err == nil
	})
	t.Cleanup(func() { l.Close() })
	if network == "unix" {
		if err := os.Chmod(addr, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	socket, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}

// startActivated runs a command as systemd does with a socket: as descriptor 3, with variables that say so. One is the
// id of the process, which the shell knows in time.
func startActivated(t *testing.T, stop os.Signal, command string, socket *os.File) *process {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "LISTEN_PID=$$ exec "+command)
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{socket}
	return start(t, stop, cmd)
}

// startProbe runs the reference application on an address as fastcgi.Listen takes it, with more arguments: a kind of
// handlers, for instance.
func startProbe(t *testing.T, probe, addr string, args ...string) *process {
	t.Helper()
	p := start(t, syscall.SIGTERM, exec.Command(probe, append(args, "-listen", addr)...))
	p.awaitListening(t, addr)
	return p
}

// awaitListening waits for a process to listen on an address, unix:/path or host:port.
func (p *process) awaitListening(t *testing.T, addr string) {
	t.Helper()
	network, addr := "tcp", strings.TrimPrefix(addr, "tcp:")
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	eventually(t, addr+" answers", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("%s ended: %v", p.cmd, p.err)
		default:
		}
		c, err := net.DialTimeout(network, addr, patience)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// serve runs an application in this process until the end of the test, for what the probe does not do.
func serve(t *testing.T, srv *fastcgi.Server, addr string) {
	t.Helper()
	l, err := fastcgi.Listen(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, srv, l)
}

func serveOn(t *testing.T, srv *fastcgi.Server, l net.Listener) {
	t.Helper()
	srv.ErrorLog = slog.New(slog.DiscardHandler)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, fastcgi.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}

// handle runs an application with a Handler.
func handle(h fastcgi.HandlerFunc) func(*testing.T, *place) {
	return func(t *testing.T, p *place) { serve(t, &fastcgi.Server{Handler: h}, "unix:"+p.socket) }
}

// onPort runs an application with a Handler on the place's port.
func onPort(h fastcgi.HandlerFunc) func(*testing.T, *place) {
	return func(t *testing.T, p *place) { serve(t, &fastcgi.Server{Handler: h}, "tcp:"+p.tcp) }
}

// buildProbe returns the reference application, with the race detector if this test has it, for as long as the test runs.
func buildProbe(t *testing.T) string {
	t.Helper()
	return build(t, programs.Probe, "../examples/probe")
}

// buildQuickProbe returns the same without the race detector.
func buildQuickProbe(t *testing.T) string {
	t.Helper()
	return build(t, programs.QuickProbe, "../examples/probe")
}

// buildPeer returns the application that does what the probe does and has nothing of ours.
func buildPeer(t *testing.T) string {
	t.Helper()
	return build(t, programs.Peer, "peer")
}

// build returns a program that is made from a folder.
func build(t *testing.T, p *programs.Program, folder string) string {
	t.Helper()
	dependOn(t, folder)
	return copyOf(t, p.Build(t))
}

// copyOf returns a copy of a program, where users may start it that may not look into the checkout. It is made by another
// process, because a program that this one writes cannot be started while a child of it has yet to close the file.
func copyOf(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(program))
	if out, err := exec.CommandContext(t.Context(), "cp", program, path).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	return path
}

// dependOn tells the go command that the result of this test depends on a folder, which it only knows of files that a
// test opens itself. The library is linked into this test, so that needs no telling.
func dependOn(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
}
