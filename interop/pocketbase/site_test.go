package pocketbase_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// The one who may see the dashboard.
const (
	email    = "admin@example.com"
	password = "let-me-in-please"
)

// A site is PocketBase with the collection notes and a page for it, testdata, as a browser finds it.
type site struct {
	name string
	url  string
}

// serve runs PocketBase until the end of the test, and returns the address that it listens on.
func (p program) serve(t *testing.T) (addr string) {
	t.Helper()
	dir := t.TempDir()
	// PocketBase may write its migrations.
	migrations := filepath.Join(dir, "migrations")
	if err := os.CopyFS(migrations, os.DirFS("testdata/pb_migrations")); err != nil {
		t.Fatal(err)
	}
	flags := []string{
		"--dev=false", // which it takes a program in a temporary folder for
		"--dir", filepath.Join(dir, "data"), "--migrationsDir", migrations,
		"--hooksDir", filepath.Join(dir, "hooks"), "--publicDir", absolute(t, "testdata/pb_public"),
	}
	run(t, dir, string(p), append(flags, "superuser", "upsert", email, password)...)
	addr = freeAddr(t)
	start(t, syscall.SIGTERM, addr, exec.Command(string(p), append(flags, "serve", "--http", addr)...))
	return addr
}

// nginxConf is what is around a printed configuration.
const nginxConf = `%[2]s
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log info;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	fastcgi_temp_path %[1]s/fastcgi;
	proxy_temp_path %[1]s/proxy;
	scgi_temp_path %[1]s/scgi;
	uwsgi_temp_path %[1]s/uwsgi;
	client_max_body_size 30m;
	include %[1]s/tcp.conf;
}
`

// behind puts nginx in front of an address, configured as docs/nginx.md says, and returns the address of that.
func behind(t *testing.T, nginx, app string) (addr string) {
	t.Helper()
	dir := t.TempDir()
	addr = freeAddr(t)
	printed := strings.NewReplacer("127.0.0.1:9000", app, "127.0.0.1:8080", addr).Replace(readFile(t, "../../docs/nginx/tcp.conf"))
	write(t, filepath.Join(dir, "tcp.conf"), printed)
	write(t, filepath.Join(dir, "fastcgi_params"), readFile(t, "/etc/nginx/fastcgi_params"))
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the test's folder is for nobody else
	}
	conf := filepath.Join(dir, "nginx.conf")
	write(t, conf, fmt.Sprintf(nginxConf, dir, user))
	start(t, syscall.SIGQUIT, addr, exec.Command(nginx, "-e", filepath.Join(dir, "error.log"), "-c", conf))
	return addr
}

// findNginx returns the program, or ends the test: skipped, or failed where nothing may be missing.
func findNginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	required.Missing(t, "there is no nginx: install the package nginx-light")
	return ""
}

// start runs a server until the end of the test, when it has to exit with status 0 on a signal, and returns once it
// listens. A program built with the race detector does not exit so when that found something.
func start(t *testing.T, stop os.Signal, addr string, cmd *exec.Cmd) {
	t.Helper()
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(stop); err != nil {
			t.Errorf("%s: %v", cmd, err)
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", cmd, err)
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd, output.String())
		}
	})
	eventually(t, addr+" answers", func() bool {
		conn, err := net.Dial("tcp", addr)
		return err == nil && conn.Close() == nil
	})
}

// freeAddr returns an address on which nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
