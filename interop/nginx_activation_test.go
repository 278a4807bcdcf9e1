package interop_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// nginxActivation does with the printed units what systemd does: it makes the socket, runs the program with it, and
// runs it again. Requests wait meanwhile, so a restart loses none (F9).
//
// What nginx sends on a kept connection while that is being closed is lost. nginx repeats it, but not a POST.
func nginxActivation(t *testing.T, probe string) {
	for config, method := range map[string]string{
		"minimal.conf":    http.MethodPost,
		"production.conf": http.MethodGet,
	} {
		t.Run(config, func(t *testing.T) { restartUnderLoad(t, probe, config, method) })
	}
}

func restartUnderLoad(t *testing.T, probe, config, method string) {
	p := newPlace(t)
	units := p.fill(printed(t, "nginx", "app.socket") + printed(t, "nginx", "app.service"))
	l, err := net.Listen("unix", setting(t, units, "ListenStream"))
	if err != nil {
		t.Fatal(err)
	}
	socket, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	defer l.Close()

	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", probe, 1)
	app := startActivated(t, command, socket)
	s := nginx.run(t, p, config, "")
	load := s.keepAsking(t, method)
	defer load.stop()
	for range 5 {
		load.awaitSome(t)
		app.stop(t, syscall.SIGTERM)
		app = startActivated(t, command, socket)
	}
	load.awaitSome(t)
}

// setting returns the value of a unit's setting.
func setting(t *testing.T, units, name string) string {
	t.Helper()
	for line := range strings.Lines(units) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("the units have no %s", name)
	return ""
}

// startActivated runs a command as systemd does with a socket: as descriptor 3, with variables that say so. One is the
// id of the process, which the shell knows in time.
func startActivated(t *testing.T, command string, socket *os.File) *process {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "LISTEN_PID=$$ exec "+command)
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{socket}
	return start(t, syscall.SIGTERM, cmd)
}

// A load is requests, one after the other, from several clients.
type load struct {
	answered atomic.Int64
	done     chan struct{}
	clients  sync.WaitGroup
}

// keepAsking sends requests until the load is stopped. All must be answered.
func (s *site) keepAsking(t *testing.T, method string) *load {
	t.Helper()
	l := &load{done: make(chan struct{})}
	for range 8 {
		l.clients.Go(func() { l.ask(t, s, method) })
	}
	return l
}

func (l *load) ask(t *testing.T, s *site, method string) {
	for {
		select {
		case <-l.done:
			return
		default:
		}
		a, err := s.try(s.request(t, method, "do=ignore", nil))
		if err != nil {
			t.Error(err)
			return
		}
		a.want(t, 200, "ignored\n")
		l.answered.Add(1)
	}
}

// awaitSome waits for answers to requests that are sent from now on.
func (l *load) awaitSome(t *testing.T) {
	t.Helper()
	enough := l.answered.Load() + 100
	eventually(t, "requests are answered", func() bool { return l.answered.Load() >= enough })
}

func (l *load) stop() {
	close(l.done)
	l.clients.Wait()
}
