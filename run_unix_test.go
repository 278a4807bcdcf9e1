//go:build unix

package fastcgi_test

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// A child is the test binary, about to play a part in another process.
type child struct {
	part   part
	env    []string
	stdin  *os.File
	stderr *os.File   // if it is not to be in the log
	extra  []*os.File // fd 3 and on
	script string     // run by sh in place of the child, which is "$0"; it must exec it
}

// A process is a child at work.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   net.Addr
	stdout strings.Builder // complete after expectExit
	log    journal         // its standard error
	ended  chan struct{}   // closed when it has ended
}

func (c child) start(t *testing.T) *process {
	t.Helper()
	role, err := json.Marshal(c.part)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0])
	if c.script != "" {
		p.cmd = exec.Command("sh", "-c", c.script, os.Args[0])
	}
	p.cmd.Env = append(c.env, childRole+"="+string(role), "TMPDIR="+os.TempDir(),
		"GORACE=atexit_sleep_ms=0") // the race detector waits a second at exit
	p.cmd.ExtraFiles = c.extra
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.log
	if c.stdin != nil {
		p.cmd.Stdin = c.stdin
	}
	if c.stderr != nil {
		p.cmd.Stderr = c.stderr
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.cmd.Wait() // what it says is in ProcessState
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill() // if it has not ended yet
	<-p.ended
	if p.t.Failed() {
		p.t.Logf("log of the child:\n%s", &p.log)
	}
}

// passing starts a child the way a web server does, with a listening socket as fd 0.
func (c child) passing(t *testing.T, p place) *process {
	t.Helper()
	c.part.Driver = p.driver.name
	var addr net.Addr
	c.stdin, addr = p.socket(t)
	child := c.start(t)
	child.addr = addr
	c.stdin.Close() // so that only the child is listening
	return child
}

// socket makes a listening socket to hand on.
func (p place) socket(t *testing.T) (*os.File, net.Addr) {
	t.Helper()
	l := p.listen(t)
	defer l.Close()
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	return f, l.Addr()
}

// dial makes a connection that ends with the test.
func (p *process) dial(t *testing.T) *web {
	t.Helper()
	conn, err := net.Dial(p.addr.Network(), p.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return newWeb(t, conn)
}

// terminate sends SIGTERM and waits until nothing is accepted any more.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	eventually(t, "nothing is accepted", func() bool {
		conn, err := net.Dial(p.addr.Network(), p.addr.String())
		if err != nil {
			return true
		}
		conn.Close()
		return false
	})
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// expectExit waits for the end of the process, of its own accord.
func (p *process) expectExit(t *testing.T, status int) {
	t.Helper()
	receive(t, p.ended)
	if s := p.cmd.ProcessState; s.ExitCode() != status {
		t.Errorf("the child ended with %v, want status %d", s, status)
	}
}

// sendHeld sends a request whose handler waits for the end of the body.
func sendHeld(t *testing.T, w *web, do string) {
	t.Helper()
	w.send(start(1, true, "DO", do))
	w.untilStdout(1, "held")
}

// A47, F13: after SIGTERM there are no more connections, what is under way finishes, and the exit status is 0.
func TestA47F13SIGTERM(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		c := child{}.passing(t, p)
		w, idle := c.dial(t), c.dial(t)
		idle.ask(1).expect(t, "hello")
		sendHeld(t, w, "hold")
		c.terminate(t)
		idle.expectEOF()
		w.send(stdin(1, "body"), stdinEnd(1))
		w.answer(1).expect(t, "held body")
		w.expectEOF()
		c.expectExit(t, 0)
	})
}

// F13: requests that take longer than DrainTimeout are cancelled, and get to hear of it.
func TestF13DrainTimeout(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		c := child{part: part{DrainTimeout: time.Millisecond}}.passing(t, p)
		w := c.dial(t)
		sendHeld(t, w, "hold")
		c.signal(t, syscall.SIGTERM)
		w.expectClosed()
		c.expectExit(t, 0)
		c.log.expect(t, "requests cut off", "active=1")
		c.log.expect(t, "request cancelled", fastcgi.ErrServerClosed.Error())
	})
}

// F13: a second signal ends it at once, even with a handler that does not care.
func TestF13SecondSignal(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			onUnix(t, func(t *testing.T, p place) {
				t.Parallel()
				c := child{part: part{DrainTimeout: -1}}.passing(t, p)
				w := c.dial(t)
				w.send(start(1, true, "DO", "stick"))
				w.untilStdout(1, "stuck")
				c.terminate(t)
				time.Sleep(1100 * time.Millisecond) // W4: before, it would be the same signal
				c.signal(t, s)
				w.expectClosed()
				c.expectExit(t, 0)
			})
		})
	}
}

// W4: a signal that arrives twice, as from a manager that signals a process and its group, does not cut the drain.
func TestW4SignalTwice(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		c := child{}.passing(t, p)
		w := c.dial(t)
		w.send(start(1, true, "DO", "hold"))
		w.untilStdout(1, "held ")
		c.terminate(t)
		c.signal(t, syscall.SIGTERM)
		c.signal(t, os.Interrupt)
		w.send(stdin(1, "body"), stdinEnd(1))
		w.answer(1).expect(t, "held body")
		c.expectExit(t, 0)
	})
}

// F13: nor does such a handler keep the process once it was cancelled.
func TestF13StuckHandler(t *testing.T) {
	c := child{part: part{DrainTimeout: time.Millisecond}}.passing(t, place{drivers[0], "unix"})
	w := c.dial(t)
	w.send(start(1, true, "DO", "stick"))
	w.untilStdout(1, "stuck")
	c.signal(t, syscall.SIGTERM)
	c.expectExit(t, 0)
}

// The end of Run's context does what SIGTERM does.
func TestRunContext(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		c := child{}.passing(t, p)
		w := c.dial(t)
		sendHeld(t, w, "cancel")
		w.send(stdin(1, "body"), stdinEnd(1))
		w.answer(1).expect(t, "held body")
		w.expectEOF()
		c.expectExit(t, 0)
	})
}

// A44: Addr is where Run listens if it is set, whatever fd 0 is, and says so once it does.
func TestRunAddr(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		path := t.TempDir() + "/s"
		c := child{part: part{Driver: p.driver.name, Addr: "unix:" + path}}.start(t)
		c.addr = &net.UnixAddr{Name: path, Net: "unix"}
		c.log.expect(t, "listening", "address=unix:"+path)
		c.dial(t).ask(1).expect(t, "hello")
		c.signal(t, os.Interrupt)
		c.expectExit(t, 0)
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the socket file is left: %v", err)
		}
	})
}

// Run has ListenOptions for TLS as well, and says where it listens in words that a client takes.
func TestTLSRunAddr(t *testing.T) {
	authority := certstest.NewAuthority(t, "authority")
	p := part{Addr: "tls:127.0.0.1:0"}
	p.CertFile, p.KeyFile = authority.Pair("localhost").Write(t, t.TempDir(), "app")
	c := child{part: p}.start(t)
	c.log.expect(t, "listening", "address=tls:127.0.0.1:")
	_, addr, _ := strings.Cut(c.log.String(), "address=tls:")
	conn, err := tls.Dial("tcp", strings.TrimSpace(addr), &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	newWeb(t, conn).ask(1).expect(t, "hello")
	conn.Close()
	c.signal(t, os.Interrupt)
	c.expectExit(t, 0)

	c = child{part: part{Addr: "tls:127.0.0.1:0"}}.start(t)
	c.log.expect(t, "needs a certificate", "CertFile and KeyFile")
	c.expectExit(t, 1)
}

// A44: all sockets that systemd passes are served.
func TestRunListenFDs(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		c := child{
			part: part{Driver: p.driver.name},
			env:  []string{"LISTEN_FDS=2"}, script: `LISTEN_PID=$$ exec "$0"`,
		}
		var addrs []net.Addr
		for _, network := range []string{"unix", "tcp"} {
			f, addr := place{p.driver, network}.socket(t)
			defer f.Close()
			c.extra, addrs = append(c.extra, f), append(addrs, addr)
		}
		run := c.start(t)
		for _, run.addr = range addrs {
			run.dial(t).ask(1).expect(t, "hello")
		}
		run.signal(t, syscall.SIGTERM)
		run.expectExit(t, 0)
	})
}

// A44: what fd 0 is, and what to do, is said in plain words.
func TestRunNoSocket(t *testing.T) {
	c := child{}.start(t)
	c.expectExit(t, 1)
	c.log.expect(t, "fastcgi: fd 0 is not a listening socket", "start this through a web server")
}

// SIGPIPE: the error log may be a pipe of the web server's, which is closed one day. That ends nothing.
func TestRunStderrClosed(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		r, stderr, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := child{stderr: stderr}.passing(t, p)
		stderr.Close()
		r.Close()
		w := c.dial(t)
		if got := w.ask(1, "DO", "complain"); !strings.Contains(got.stdout.String(), syscall.EPIPE.Error()) {
			t.Errorf("writing to standard error returned %q", got.stdout.String())
		}
		w.ask(1).expect(t, "hello")
		c.signal(t, syscall.SIGTERM)
		c.expectExit(t, 0)
	})
}

// A44: without a socket, and with a CGI environment, Run serves that one request.
func TestRunCGI(t *testing.T) {
	for _, test := range []struct {
		do, body, stdout, stderr string
		status                   int
	}{
		{"", "", "hello", "", 0},
		{"", "not read", "hello", "", 0},
		{"hold", "body", "held body", "", 0},
		{"hold", strings.Repeat("body", 100000), "held " + strings.Repeat("body", 100000), "", 0},
		{"fail", "body", "body", "failed\nfastcgi: plain CGI request ended with appStatus 3\n", 1},
	} {
		onUnix(t, func(t *testing.T, p place) {
			c := child{
				part: part{Driver: p.driver.name},
				env: []string{
					"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST",
					"CONTENT_LENGTH=" + strconv.Itoa(len(test.body)), "DO=" + test.do,
				},
				stdin: fileWith(t, test.body),
			}.start(t)
			c.expectExit(t, test.status)
			if got := c.stdout.String(); got != test.stdout {
				t.Errorf("standard output is %q, want %q", clip(got), clip(test.stdout))
			}
			if got := c.log.String(); got != test.stderr {
				t.Errorf("standard error is %q, want %q", got, test.stderr)
			}
		})
	}
}

// W8: what a plain CGI program prints, to os.Stdout or to descriptor 1 itself, does not get into its response.
func TestW8PrintingInCGI(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		c := child{
			part:  part{Driver: p.driver.name},
			env:   []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "DO=print"},
			stdin: fileWith(t, ""),
		}.start(t)
		c.expectExit(t, 0)
		if got := c.stdout.String(); got != "hello" {
			t.Errorf("standard output is %q", got)
		}
		if got := c.log.String(); got != "printed\nwritten to 1\nby a child\n" {
			t.Errorf("standard error is %q", got)
		}
	})
}

// A CGI program takes the whole body, also one that its handler does not read: behind some web servers its answer would be
// lost otherwise. Standard input need not end there, if a length was given.
func TestRunCGITakesBody(t *testing.T) {
	body := make([]byte, 1<<20)
	for variable, eof := range map[string]bool{
		"CONTENT_LENGTH=" + strconv.Itoa(len(body)): false,
		"HTTP_TRANSFER_ENCODING=chunked":            true,
	} {
		onUnix(t, func(t *testing.T, p place) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			c := child{
				part: part{Driver: p.driver.name}, env: []string{"GATEWAY_INTERFACE=CGI/1.1", variable}, stdin: r,
			}.start(t)
			r.Close()
			if n, err := w.Write(body); err != nil {
				t.Errorf("%s: after %d bytes: %v", variable, n, err)
			}
			if eof {
				w.Close()
			}
			c.expectExit(t, 0)
			if got := c.stdout.String(); got != "hello" {
				t.Errorf("%s: standard output is %q", variable, got)
			}
		})
	}
}

// A CGI program ends although standard input does not: with its handler, with Run's context, with its server.
func TestRunCGIOpenStdin(t *testing.T) {
	for _, test := range []struct {
		do     string
		closed bool
		status int
		stderr string
	}{
		{do: "hello"},
		{do: "cancel", status: 1, stderr: "context canceled"},
		{closed: true, status: 1, stderr: "plain CGI request failed"},
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		c := child{
			part:  part{Closed: test.closed},
			env:   []string{"GATEWAY_INTERFACE=CGI/1.1", "DO=" + test.do},
			stdin: r,
		}.start(t)
		r.Close()
		c.expectExit(t, test.status)
		if got := c.log.String(); !strings.Contains(got, test.stderr) {
			t.Errorf("standard error is %q", got)
		}
	}
}

// fileWith returns a file to be read from its start.
func fileWith(t *testing.T, text string) *os.File {
	t.Helper()
	path := t.TempDir() + "/stdin"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Fd is the descriptor of the first listener that is being served.
func TestFd(t *testing.T) {
	const no = ^uintptr(0)
	onSockets(t, func(t *testing.T, p place) {
		srv := &fastcgi.Server{Handler: hello}
		if fd := srv.Fd(); fd != no {
			t.Errorf("Fd is %d before Serve", fd)
		}
		a := p.serve(t, srv)
		first, _ := listen.Fd(a.l)
		eventually(t, "Fd is the listener's", func() bool { return srv.Fd() == first })

		other := p.listen(t)
		second, _ := listen.Fd(other)
		served := make(chan error, 1)
		go func() { served <- srv.Serve(other) }()
		conn, err := net.Dial(other.Addr().Network(), other.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		newWeb(t, conn).ask(1).expect(t, "hello")
		conn.Close()
		for range 20 {
			if fd := srv.Fd(); fd != first {
				t.Fatalf("Fd is %d, not the first listener's, which is %d and not %d", fd, first, second)
			}
		}
		srv.Close()
		receive(t, served)
		eventually(t, "there is none", func() bool { return srv.Fd() == no })
	})
	a := place{drivers[0], "pipe"}.serve(t, &fastcgi.Server{Handler: hello})
	a.dial(t).ask(1)
	if fd := a.Fd(); fd != no {
		t.Errorf("Fd of a listener without one is %d", fd)
	}
}
