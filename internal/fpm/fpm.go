// Package fpm starts php-fpm for tests, the FastCGI application that most of the
// world runs. Only tests import it.
package fpm

import (
	"bytes"
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

// config is as little as FPM starts with. It has two workers, so that a test
// which pins one notices before it hangs.
const config = `[global]
error_log = %[1]s/fpm.log
daemonize = no
[www]
user = %[2]s
listen = %[1]s/fpm.sock
pm = static
pm.max_children = 2
pm.max_requests = 50
`

// Start runs php-fpm until the end of the test and returns its address,
// "unix:/path". Without php-fpm it skips the test, or fails it where
// FASTCGI_REQUIRE_SERVERS is 1.
func Start(t testing.TB) string {
	t.Helper()
	program := find()
	if program == "" {
		required.Missing(t, "php-fpm is not installed (Debian: php-fpm)")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "fpm.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, config, dir, userName(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command(program, "--nodaemonize", "--allow-to-run-as-root", "--no-php-ini", "--fpm-config", conf))
	socket := filepath.Join(dir, "fpm.sock")
	await(t, socket, filepath.Join(dir, "fpm.log"))
	return "unix:" + socket
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

// run starts cmd, and stops it at the end of the test.
func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", cmd, output.String())
		}
	})
}

// await returns once something listens on socket.
func await(t testing.TB, socket, log string) {
	t.Helper()
	for range 500 {
		if nc, err := net.Dial("unix", socket); err == nil {
			nc.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	text, _ := os.ReadFile(log)
	t.Fatalf("php-fpm does not listen: %s", text)
}
