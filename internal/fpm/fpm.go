// Package fpm starts php-fpm for tests, the FastCGI application that most of the
// world runs. Only tests import it.
package fpm

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// Settings are what a test may want otherwise. The zero value has two workers, so that a test which pins one notices before it
// hangs, and each ends after 50 requests.
type Settings struct {
	Children    int
	MaxRequests int
}

// config is as little as FPM starts with.
const config = `[global]
error_log = %[1]s/fpm.log
daemonize = no
[www]
user = %[2]s
listen = %[1]s/fpm.sock
pm = static
pm.max_children = %[3]d
pm.max_requests = %[4]d
`

// Start runs php-fpm until the end of the test and returns its address,
// "unix:/path". Without php-fpm it skips the test, or fails it where
// FASTCGI_REQUIRE_SERVERS is 1.
func Start(t testing.TB) string {
	t.Helper()
	return StartWith(t, Settings{}).Addr
}

// A Process is a php-fpm that runs.
type Process struct {
	Addr string // "unix:/path"

	t       testing.TB
	program string
	conf    string
	log     string
	cmd     *exec.Cmd
	output  *bytes.Buffer
}

// StartWith is Start with settings.
func StartWith(t testing.TB, s Settings) *Process {
	t.Helper()
	program := find()
	if program == "" {
		required.Missing(t, "php-fpm is not installed (Debian: php-fpm)")
	}
	// Not t.TempDir: a comma in the test's name would end the name of the socket that a reload takes over.
	dir, err := os.MkdirTemp("", "fpm-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := filepath.Join(dir, "fpm.conf")
	text := fmt.Appendf(nil, config, dir, userName(t), cmp.Or(s.Children, 2), cmp.Or(s.MaxRequests, 50))
	if err := os.WriteFile(conf, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Process{Addr: "unix:" + filepath.Join(dir, "fpm.sock"), t: t, program: program, conf: conf, log: filepath.Join(dir, "fpm.log")}
	p.start()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			log, _ := os.ReadFile(p.log)
			t.Logf("%s: %s\n%s", p.cmd, p.output, log)
		}
	})
	return p
}

// start runs FPM, and returns once it listens.
func (p *Process) start() {
	p.t.Helper()
	p.output = new(bytes.Buffer)
	p.cmd = exec.Command(p.program, "--nodaemonize", "--allow-to-run-as-root", "--no-php-ini", "--fpm-config", p.conf)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.await()
}

func (p *Process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
}

// Restart ends FPM, whatever its workers do, and starts it again.
func (p *Process) Restart() {
	p.t.Helper()
	p.stop()
	p.start()
}

// find returns php-fpm's path. Debian's carries PHP's version in its name.
func find() string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		found, _ := filepath.Glob(filepath.Join(dir, "php-fpm*"))
		for _, path := range found {
			if p, err := exec.LookPath(path); err == nil {
				return p
			}
		}
	}
	return ""
}

func userName(t testing.TB) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

// await returns once something listens.
func (p *Process) await() {
	p.t.Helper()
	for range 500 {
		if nc, err := net.Dial("unix", p.Addr[len("unix:"):]); err == nil {
			nc.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	text, _ := os.ReadFile(p.log)
	p.t.Fatalf("php-fpm does not listen: %s", text)
}
