//go:build unix

package client_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// X7: nobody listening is tried again, and the handshake that follows is a part of the same attempt.
func TestX7TLS(t *testing.T) {
	app := startTLS(t, localhost, nil)
	c := app.client(t, &client.Client{})
	tries := 0
	c.Dial = func(ctx context.Context) (net.Conn, error) {
		if tries++; tries < 3 {
			return nil, dialError(syscall.ECONNREFUSED)
		}
		return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(app.addr, "tls:"))
	}
	expect(t, c, post(strings.NewReader("hello")), "hello")
	if tries != 3 {
		t.Errorf("%d tries", tries)
	}
}

// The commands of docs/tls.md make what both ends take, for mutual TLS.
func TestTLSPagePrintsCommands(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		required.Missing(t, "openssl is not installed (Debian: openssl)")
	}
	page, err := os.ReadFile("../docs/tls.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```sh\n")
	commands, _, ok := strings.Cut(rest, "\n```\n")
	if !ok || !strings.Contains(commands, "openssl") {
		t.Fatal("the page prints no commands")
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-e", "-c", commands)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	app := startTLS(t, localhost, func(app *tlsApp) {
		app.opts.CertFile, app.opts.KeyFile, app.opts.ClientCAFile = in("app.pem"), in("app.key"), in("ca.pem")
	})
	c := app.client(t, &client.Client{ServerName: "app.internal", CertFile: in("web.pem"), KeyFile: in("web.key")})
	c.CAFile = in("ca.pem")
	expect(t, c, post(strings.NewReader("hello")), "hello")
}
