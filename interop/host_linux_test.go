package interop_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// A host is a machine of its own, as far as files and the network are concerned: programs in it find files where a test
// put them, though others see what was there before, and every port is free. So configurations run in it exactly as
// printed.
type host struct {
	root string // its files, as this process sees them
	net  string // its network, likewise
	pid  string // of a process in it
}

// newHost makes a host that lives until the end of the test, from this machine's files. Only root can.
func newHost(t *testing.T) *host {
	t.Helper()
	needNamespaces(t)
	cmd := exec.Command("unshare", "--mount", "--net", "sh", "-c", "ip link set lo up && echo ready && exec sleep infinity")
	p := start(t, os.Kill, cmd)
	eventually(t, "the host is up", func() bool { return strings.HasPrefix(p.output.String(), "ready") })
	pid := strconv.Itoa(cmd.Process.Pid)
	return &host{root: "/proc/" + pid + "/root", net: "/proc/" + pid + "/ns/net", pid: pid}
}

// needNamespaces ends the test unless it may make hosts.
func needNamespaces(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		required.Missing(t, "only root can make hosts: namespaces for files and networks")
	}
	out, err := exec.Command("unshare", "--mount", "--net", "ip", "link", "set", "lo", "up").CombinedOutput()
	if err != nil {
		required.Missing(t, "no namespaces for files and networks (Debian: util-linux, iproute2): %v\n%s", err, out)
	}
}

// command returns a command that runs in the host.
func (h *host) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", h.pid, "--mount", "--net", "--"}, args...)...)
}

// as returns a command that runs in the host the way systemd runs a service's: as a user that may have low ports.
func (h *host) as(name string, args ...string) *exec.Cmd {
	drop := []string{
		"setpriv", "--reuid", name, "--regid", name, "--init-groups",
		"--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service", "--",
	}
	return h.command(append(drop, args...)...)
}

// run runs a command in the host to its end.
func (h *host) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := h.command(args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// clear gives the host an empty folder that belongs to a user, in the place of this machine's.
func (h *host) clear(t *testing.T, dir, owner string) {
	t.Helper()
	h.run(t, "mkdir", "-p", dir)
	h.run(t, "mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", dir)
	h.run(t, "chown", owner+":"+owner, dir)
}

// install puts a file into a place where the host, as this machine, has one.
func (h *host) install(t *testing.T, file, place string) {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	h.run(t, "mount", "--bind", path, place)
}

// activate does with a page's units what systemd does: it makes the socket and runs the application with it.
func (h *host) activate(t *testing.T, server, program string) *process {
	t.Helper()
	units := printed(t, server, "app.socket") + printed(t, server, "app.service")
	path := h.root + setting(t, units, "ListenStream")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	socket := openSocket(t, "unix:"+path)
	mode, err := strconv.ParseUint(setting(t, units, "SocketMode"), 8, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, os.FileMode(mode)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, userID(t, setting(t, units, "SocketUser")), -1); err != nil {
		t.Fatal(err)
	}
	command := strings.Replace(setting(t, units, "ExecStart"), "/usr/local/bin/app", program, 1)
	return startActivated(t, syscall.SIGTERM, command, socket)
}

func userID(t *testing.T, name string) int {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// dial connects from within the host, from a local address unless that is empty.
func (h *host) dial(ctx context.Context, local, addr string) (conn net.Conn, err error) {
	var d net.Dialer
	if local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	failed := inNetwork(h.net, func() { conn, err = d.DialContext(ctx, "tcp", addr) })
	return conn, errors.Join(failed, err)
}

// inNetwork calls f with the thread in another network. The thread comes back: were it to end, the processes that it has
// started would, too.
func inNetwork(network string, f func()) error {
	there, err := os.Open(network)
	if err != nil {
		return err
	}
	defer there.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer here.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	f()
	if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
		panic(err) // nothing in this process could go on
	}
	return nil
}

// site returns what a web server serves in the host on a port, by a name, as a client there sees it whose connections
// come from a local address, or from any if that is empty.
func (h *host) site(t *testing.T, server *webServer, name, port, local string) *site {
	t.Helper()
	s := newSite(t, server, newPlace(t))
	s.addr = name
	if port == "443" {
		s.place.https = name
		s.useTLS()
	}
	transport := s.client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return h.dial(ctx, local, "127.0.0.1:"+port)
	}
	return s
}

// awaitPort waits for a process in the host to listen.
func (h *host) awaitPort(t *testing.T, p *process, port string) {
	t.Helper()
	eventually(t, "port "+port+" answers", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("%s ended: %v", p.cmd, p.err)
		default:
		}
		c, err := h.dial(t.Context(), "", "127.0.0.1:"+port)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// unitCommand returns the command of a service that a Debian package has, as its unit has it, and the user it runs as.
func unitCommand(t *testing.T, unit string) (command []string, user string) {
	t.Helper()
	text := readFile(t, filepath.Join("/lib/systemd/system", unit))
	user = "root"
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "User="); ok {
			user = strings.TrimSpace(name)
		}
	}
	return strings.Fields(setting(t, text, "ExecStart")), user
}
