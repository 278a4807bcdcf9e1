package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// fronts are the web servers: each serves the application at a socket over HTTP, at the URL that it returns.
var fronts = []struct {
	name  string
	serve func(t *testing.T, socket string) (url string)
}{
	{"gateway", serveGateway},
	{"lighttpd", serveLighttpd},
}

// serveApplication serves a handler at a socket, which it returns.
func serveApplication(t *testing.T, driver fastcgi.Driver, h http.Handler) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "websocket") // t.TempDir may be too long for a socket's address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "app.sock")
	l, err := fastcgi.Listen("unix:"+socket, nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(h), Driver: driver, ErrorLog: slog.New(slog.DiscardHandler)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; !errors.Is(err, fastcgi.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return socket
}

func serveGateway(t *testing.T, socket string) string {
	t.Helper()
	app := &client.Client{Addr: "unix:" + socket}
	web := httptest.NewServer(&gateway.Handler{Client: app, ErrorLog: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		web.Close()
		app.Close()
	})
	return web.URL
}

// around is what the printed configuration is put into.
const around = `server.document-root = "%[1]s"
server.errorlog = "%[1]s/error.log"
server.port = %[2]s
server.bind = "127.0.0.1"
include "%[1]s/printed.conf"
`

func serveLighttpd(t *testing.T, socket string) string {
	t.Helper()
	return "http://" + serveLighttpdWith(t, socket, "lighttpd.conf")
}

// serveLighttpdWith serves a printed configuration with changes, old and new text by turns, and returns its address.
func serveLighttpdWith(t *testing.T, socket, config string, changes ...string) (addr string) {
	t.Helper()
	program := lighttpd(t)
	dir := filepath.Dir(socket)
	addr = freeAddr(t)
	_, port, _ := net.SplitHostPort(freeAddr(t))
	changes = append(changes, "/run/app/app.sock", socket, "127.0.0.1:8080", addr, "127.0.0.1:8443", addr)
	write(t, filepath.Join(dir, "printed.conf"), strings.NewReplacer(changes...).Replace(printed(t, config)))
	write(t, filepath.Join(dir, "lighttpd.conf"), fmt.Sprintf(around, dir, port))
	run(t, addr, filepath.Join(dir, "error.log"), exec.Command(program, "-D", "-f", filepath.Join(dir, "lighttpd.conf")))
	return addr
}

// printed returns a configuration as docs/websockets.md prints it.
func printed(t *testing.T, config string) string {
	t.Helper()
	return readFile(t, filepath.Join("../../docs/websockets", config))
}

// run runs a web server until the end of the test, and returns once it accepts connections.
func run(t *testing.T, addr, log string, cmd *exec.Cmd) {
	t.Helper()
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		err := <-ended // lighttpd's status is 1 if a connection is open
		if t.Failed() {
			logged, _ := os.ReadFile(log)
			t.Logf("%s: %v\n%s%s", cmd, err, output.String(), logged)
		}
	})
	awaitListening(t, addr)
}

// lighttpd returns a lighttpd that upgrades connections for FastCGI: what build-lighttpd has built, or else the system's.
// Without one, the test ends here.
func lighttpd(t *testing.T) (program string) {
	t.Helper()
	programs := []string{"lighttpd", "/usr/sbin/lighttpd"}
	if cache, err := os.UserCacheDir(); err == nil {
		programs = append([]string{filepath.Join(cache, "fastcgi", "lighttpd", "sbin", "lighttpd")}, programs...)
	}
	i := slices.IndexFunc(programs, upgrades)
	if i < 0 {
		required.Missing(t, "there is no lighttpd 1.4.74 or later: run `make deps`")
	}
	return programs[i]
}

// upgrades reports whether a lighttpd has the option "upgrade" for FastCGI.
func upgrades(program string) bool {
	out, err := exec.Command(program, "-v").Output()
	if err != nil {
		return false
	}
	var patch int
	version := regexp.MustCompile(`1\.4\.[0-9]+`).Find(out)
	_, err = fmt.Sscanf(string(version), "1.4.%d", &patch)
	return err == nil && patch >= 74
}

// awaitListening waits until a program accepts connections.
func awaitListening(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
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

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
