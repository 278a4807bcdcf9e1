//go:build unix

package listen_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// inheritable is a listening socket as a parent process passes it on.
type inheritable struct {
	addr net.Addr
	file *os.File
}

// open makes an inheritable socket; "unix" listens in a temporary directory, "tcp" on addr.
func open(t *testing.T, network, addr string) inheritable {
	t.Helper()
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	file, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return inheritable{l.Addr(), file}
}

// greeted connects and checks that the child answers.
func (s inheritable) greeted(t *testing.T) {
	t.Helper()
	c, err := net.Dial(s.addr.Network(), s.addr.String())
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v; want hello", got, err)
	}
}

// A44: a listening socket on fd 0, Unix or TCP, means FastCGI.
func TestEnvironmentFd0(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s := open(t, network, "127.0.0.1:0")
			r := child{stdin: s.file}.run(t, func() { s.greeted(t) })
			checkListeners(t, r, listenerReport{Network: network, Addr: s.addr.String()})
		})
	}
}

// A44 holds under GATEWAY_INTERFACE too: the socket decides.
func TestEnvironmentFd0BeatsGatewayInterface(t *testing.T) {
	s := open(t, "unix", "")
	r := child{stdin: s.file, env: []string{"GATEWAY_INTERFACE=CGI/1.1"}}.run(t, func() { s.greeted(t) })
	checkListeners(t, r, listenerReport{Network: "unix", Addr: s.addr.String()})
}

// A45: with fds 1 and 2 closed at start, neither the listener nor an accepted connection becomes one of them.
func TestEnvironmentOutputClosed(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s := open(t, network, "127.0.0.1:0")
			r := child{stdin: s.file, script: `exec "$0" >&- 2>&-`}.run(t, func() { s.greeted(t) })
			checkListeners(t, r, listenerReport{Network: network, Addr: s.addr.String()})
		})
	}
}

func TestEnvironmentSystemd(t *testing.T) {
	web, admin := open(t, "unix", ""), open(t, "tcp", "127.0.0.1:0")
	r := child{
		extra:  []*os.File{web.file, admin.file},
		env:    []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=web:admin", "LISTEN_PIDFDID=1"},
		script: `export LISTEN_PID=$$; exec "$0"`,
	}.run(t, func() { web.greeted(t); admin.greeted(t) })
	checkListeners(t, r,
		listenerReport{Network: "unix", Addr: web.addr.String(), Name: "web"},
		listenerReport{Network: "tcp", Addr: admin.addr.String(), Name: "admin"})
}

func TestEnvironmentSystemdBeatsFd0(t *testing.T) {
	passed, stdin := open(t, "unix", ""), open(t, "unix", "")
	r := child{
		stdin:  stdin.file,
		extra:  []*os.File{passed.file},
		env:    []string{"LISTEN_FDS=1"},
		script: `export LISTEN_PID=$$; exec "$0"`,
	}.run(t, func() { passed.greeted(t) })
	if len(r.Listeners) != 1 || r.Listeners[0].Addr != passed.addr.String() {
		t.Errorf("listeners %+v, error %q; want fd 3's socket %v", r.Listeners, r.Err, passed.addr)
	}
	if r.SecondErr != "" {
		t.Errorf("fd 0's socket is gone although it was not used: %s", r.SecondErr)
	}
}

// Variables meant for another process are not used, and still not left for children.
func TestEnvironmentSystemdOtherPID(t *testing.T) {
	meant, stdin := open(t, "unix", ""), open(t, "unix", "")
	r := child{
		stdin: stdin.file,
		extra: []*os.File{meant.file},
		env:   []string{"LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=web"},
	}.run(t, func() { stdin.greeted(t) })
	if len(r.Listeners) != 1 || r.Listeners[0].Addr != stdin.addr.String() {
		t.Fatalf("listeners %+v, error %q; want fd 0's socket %v", r.Listeners, r.Err, stdin.addr)
	}
	if strings.Contains(r.Grandchild, "LISTEN_") {
		t.Errorf("a grandchild has %s", r.Grandchild)
	}
}

// checkListeners checks what a child reports that has been greeted on every socket it was given.
func checkListeners(t *testing.T, r report, want ...listenerReport) {
	t.Helper()
	if r.Err != "" || len(r.Listeners) != len(want) {
		t.Fatalf("listeners %+v, error %q; want %+v", r.Listeners, r.Err, want)
	}
	for i, got := range r.Listeners {
		if got.Fd < 3 || got.ConnFd < 3 {
			t.Errorf("listener on fd %d, connection on fd %d; want above standard error", got.Fd, got.ConnFd)
		}
		got.Fd, got.ConnFd = 0, 0
		if got != want[i] {
			t.Errorf("listener %d: %+v, want %+v", i, got, want[i])
		}
	}
	if r.Grandchild != "" {
		t.Errorf("a grandchild inherits %s", r.Grandchild)
	}
	if r.SecondErr == "" {
		t.Error("a second call finds a socket that the first has taken over")
	}
	if !r.StdinEmpty {
		t.Error("standard input is not empty after the socket was taken over")
	}
}

func TestEnvironmentSystemdErrors(t *testing.T) {
	listening := open(t, "unix", "")
	tests := []struct {
		name  string
		env   []string
		extra []*os.File
		want  string
	}{
		{"count is no number", []string{"LISTEN_FDS=two"}, nil, `LISTEN_FDS="two"`},
		{"count is missing", nil, nil, `LISTEN_FDS=""`},
		{"too few names", []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=web"}, nil, `LISTEN_FDNAMES="web" has 1 names`},
		{"not as many as said", []string{"LISTEN_FDS=2"}, []*os.File{listening.file}, "as many as it says"},
		{"a file", []string{"LISTEN_FDS=1"}, []*os.File{openFile(t)}, "fd 3 is not a listening socket (it is a file)"},
		{"a connection", []string{"LISTEN_FDS=1"}, []*os.File{connected(t, "unix")}, "Accept=no"},
		{"a datagram socket", []string{"LISTEN_FDS=1"}, []*os.File{socket(t, syscall.SOCK_DGRAM)}, "ListenStream="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := child{env: tt.env, extra: tt.extra, script: `export LISTEN_PID=$$; exec "$0"`}.run(t, func() {})
			if !strings.HasPrefix(r.Err, "fastcgi: ") || !strings.Contains(r.Err, tt.want) {
				t.Errorf("error %q, want %q in it", r.Err, tt.want)
			}
		})
	}
}

// A44: without a listening socket on fd 0, GATEWAY_INTERFACE means CGI and its absence an error in plain words.
func TestEnvironmentNoSocket(t *testing.T) {
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer other.Close()
	tests := []struct {
		name   string
		stdin  *os.File
		script string
		want   string
	}{
		{name: "null device", want: "fd 0 is not a listening socket (it is a terminal, /dev/null"},
		{name: "closed", script: `exec "$0" <&-`, want: "fd 0 is not a listening socket (it is a terminal, /dev/null"},
		{name: "pipe", stdin: pipe, want: "fd 0 is not a listening socket (it is a pipe)"},
		{name: "file", stdin: openFile(t), want: "fd 0 is not a listening socket (it is a file)"},
		{name: "connected Unix socket", stdin: connected(t, "unix"), want: "fd 0 is a connected socket"},
		{name: "connected TCP socket", stdin: connected(t, "tcp"), want: "fd 0 is a connected socket"},
		{name: "socket without listen", stdin: socket(t, syscall.SOCK_STREAM), want: "nobody has called listen"},
		{name: "datagram socket", stdin: socket(t, syscall.SOCK_DGRAM), want: "fd 0 is not a stream socket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := child{stdin: tt.stdin, script: tt.script}.run(t, func() {})
			if r.CGI || !strings.Contains(r.Err, tt.want) || !strings.Contains(r.Err, "fcgi serve") || strings.Contains(r.Err, "LISTEN_") {
				t.Errorf("CGI %v, error %q; want %q and the remedy in it", r.CGI, r.Err, tt.want)
			}
			r = child{stdin: tt.stdin, script: tt.script, env: []string{"GATEWAY_INTERFACE=CGI/1.1"}}.run(t, func() {})
			if !r.CGI {
				t.Errorf("with GATEWAY_INTERFACE: error %q, want ErrCGI", r.Err)
			}
		})
	}
}

// W24: when systemd's variables are there and pass this process nothing, the error says so, since that is the likelier
// mistake, and how to mend it.
func TestEnvironmentSystemdUnused(t *testing.T) {
	meant := open(t, "unix", "")
	tests := []struct {
		name   string
		env    []string
		script string
		want   []string
	}{
		{
			"a shell stayed",
			[]string{"LISTEN_FDS=1"},
			`export LISTEN_PID=$$; "$0"; exit $?`,
			[]string{`LISTEN_FDS="1" is meant for process "`, "(LISTEN_PID) and not for this one, ", "with exec, as in sh -c"},
		},
		{
			"another process",
			[]string{"LISTEN_FDS=1", "LISTEN_PID=1"},
			"",
			[]string{`LISTEN_FDS="1" is meant for process "1" (LISTEN_PID)`, "with exec"},
		},
		{
			"another process and no number",
			[]string{"LISTEN_FDS=a\nb", "LISTEN_PID=me"},
			"",
			[]string{`LISTEN_FDS="a\nb" is meant for process "me" (LISTEN_PID)`},
		},
		{"no process", []string{"LISTEN_FDS=1"}, "", []string{`LISTEN_FDS="1" is of no use without LISTEN_PID: set that`}},
		{"none", []string{"LISTEN_FDS=0"}, `export LISTEN_PID=$$; exec "$0"`, []string{"LISTEN_FDS=0 passes none: add ListenStream="}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := child{env: tt.env, extra: []*os.File{meant.file}, script: tt.script}
			r := c.run(t, func() {})
			for _, want := range append(tt.want, "fastcgi: fd 0 is not a listening socket (", "fcgi serve") {
				if !strings.Contains(r.Err, want) {
					t.Errorf("error %q, want %q in it", r.Err, want)
				}
			}
			c.env = append(c.env, "GATEWAY_INTERFACE=CGI/1.1")
			if r := c.run(t, func() {}); !r.CGI {
				t.Errorf("with GATEWAY_INTERFACE: error %q, want ErrCGI", r.Err)
			}
		})
	}
}

// An inherited TCP socket that other machines can reach is refused like one of our own.
func TestEnvironmentExposed(t *testing.T) {
	s := open(t, "tcp4", "0.0.0.0:0")
	r := child{stdin: s.file}.run(t, func() {})
	if !strings.Contains(r.Err, "refusing to listen on 0.0.0.0:") {
		t.Errorf("error %q, want a refusal", r.Err)
	}
	r = child{stdin: s.file, env: []string{"FCGI_WEB_SERVER_ADDRS=127.0.0.1"}}.run(t, func() { s.greeted(t) })
	if r.Err != "" {
		t.Errorf("with a list: %s", r.Err)
	}
}

// A46: FCGI_WEB_SERVER_ADDRS that cannot be read keeps the program from starting.
func TestEnvironmentMalformedList(t *testing.T) {
	s := open(t, "unix", "")
	r := child{stdin: s.file, env: []string{"FCGI_WEB_SERVER_ADDRS=localhost"}}.run(t, func() {})
	if !strings.HasPrefix(r.Err, `fastcgi: FCGI_WEB_SERVER_ADDRS: "localhost"`) {
		t.Errorf("error %q, want one about the list", r.Err)
	}
}

// Listen("") serves one socket; with more of them it says so.
func TestListenSeveralSockets(t *testing.T) {
	a, b := open(t, "unix", ""), open(t, "unix", "")
	r := child{
		extra:  []*os.File{a.file, b.file},
		role:   roleListen,
		env:    []string{"LISTEN_FDS=2"},
		script: `export LISTEN_PID=$$; exec "$0"`,
	}.run(t, func() {})
	if !strings.Contains(r.Err, "LISTEN_FDS passes 2 sockets") {
		t.Errorf("error %q", r.Err)
	}
}

func TestListenEnvironment(t *testing.T) {
	s := open(t, "unix", "")
	r := child{role: roleListen, stdin: s.file}.run(t, func() { s.greeted(t) })
	checkListeners(t, r, listenerReport{Network: "unix", Addr: s.addr.String()})
}

func TestListenDescriptor(t *testing.T) {
	s := open(t, "unix", "")
	fd, err := syscall.Dup(int(s.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	l := mustListen(t, fdAddr(fd), nil)
	if l.Addr().String() != s.addr.String() {
		t.Errorf("listening on %v, want %v", l.Addr(), s.addr)
	}
	if _, err := syscall.Getsockname(fd); err != syscall.EBADF {
		t.Errorf("the descriptor that was taken over: %v, want it closed", err)
	}
	l.Close()
	if _, err := os.Lstat(s.addr.String()); err != nil {
		t.Errorf("closing an inherited socket removed its file: %v", err)
	}
	if _, err := listen.Listen(fdAddr(fd), nil); err == nil || !strings.Contains(err.Error(), "is not open") {
		t.Errorf("listening on a closed descriptor: %v", err)
	}
}
