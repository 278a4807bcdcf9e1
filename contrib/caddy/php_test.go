package caddyfcgi_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/fpm"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

const script = `<?php
switch ($_GET['do'] ?? '') {
case 'length': echo $_SERVER['CONTENT_LENGTH'] ?? 'none', ' ', strlen(file_get_contents('php://input')); break;
case 'info': echo $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '', ' ', $_SERVER['REQUEST_URI']; break;
case 'late': echo 'early'; fastcgi_finish_request(); usleep(200000); break;
case 'fail': error_log("a complaint\nof two lines"); http_response_code(500); break;
default: echo 'hello';
}`

// The Caddyfile of the documentation, with this test's paths, in front of php-fpm.
func TestPHP(t *testing.T) {
	t.Parallel()
	app := fpm.StartWith(t, fpm.Settings{Children: 3, MaxRequests: 100})
	root := t.TempDir()
	for name, text := range map[string]string{"index.php": script, "file.txt": "static"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("../../docs/caddy-module/php.Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(string(text), "http:// {\n"), "}\n")
	s := serve(t, strings.NewReplacer("/var/www/html", root, "unix//run/php/php-fpm.sock", "unix/"+strings.TrimPrefix(app.Addr, "unix:"),
		"max_conns 5", "max_conns 3").Replace(inner))

	for path, want := range map[string]string{
		"/": "hello", "/index.php": "hello", "/file.txt": "static", "/index.php/a/b?do=info": "/index.php /a/b /index.php/a/b?do=info",
		"/pretty/url?do=info": "/index.php  /pretty/url?do=info",
	} {
		if code, got := s.get(path); code != 200 || got != want {
			t.Errorf("%s: %d %q, want %q", path, code, got, want)
		}
	}
	for _, size := range []int{1, 5000, 100_000, 3_000_000} {
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", size)))
		if code, got := s.do(post(s.url+"/?do=length", body)); code != 200 || got != fmt.Sprintf("%d %d", size, size) {
			t.Errorf("%d bytes of unknown length: %d %q", size, code, got)
		}
	}
	if code, _ := s.get("/?do=fail"); code != 500 {
		t.Errorf("status %d", code)
	}
	s.logged(`"level":"error"`, `"msg":"stderr"`, "a complaint", "of two lines")

	// More clients than workers, scripts that go on after their answer, workers that end after a number
	// of requests, and no request is lost.
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			for j := range 40 {
				path := "/"
				if i == 0 && j%4 == 0 {
					path = "/?do=late"
				}
				req, _ := http.NewRequest(http.MethodGet, s.url+path, nil)
				if code, got, err := ask(http.DefaultClient, req); err != nil || code != 200 {
					t.Errorf("%s: %d %q %v", path, code, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// One word is changed in a Caddyfile for php-fpm with one worker: no connection is kept from anybody.
func TestPHPOneWorker(t *testing.T) {
	t.Parallel()
	app := fpm.StartWith(t, fpm.Settings{Children: 1, MaxRequests: 1000})
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "index.php"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, fmt.Sprintf("root * %s\nphp_fcgi unix/%s", root, strings.TrimPrefix(app.Addr, "unix:")))
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			for range 20 {
				req, _ := http.NewRequest(http.MethodGet, s.url, nil)
				if code, got, err := ask(http.DefaultClient, req); err != nil || code != 200 || got != "hello" {
					t.Errorf("%d %q %v", code, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// fcgiwrap, which stands on libfcgi, and reads STDIN to its end.
func TestLibfcgi(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("fcgiwrap")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/fcgiwrap"); err != nil {
			required.Missing(t, "fcgiwrap is not installed (Debian: fcgiwrap)")
		}
	}
	dir := socketDir(t)
	socket := filepath.Join(dir, "wrap.sock")
	cgi := "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\necho \"$PATH_INFO $CONTENT_LENGTH\"\necho complaint >&2\nexec cat\n"
	if err := os.WriteFile(filepath.Join(dir, "a.cgi"), []byte(cgi), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-f", "-s", "unix:"+socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for _, options := range []string{"no_upgrade", "no_upgrade\nmax_conns 1", "no_upgrade\nmultiplex ask"} {
		s := serve(t, fmt.Sprintf("root * %s\nreverse_proxy unix/%s {\ntransport fcgi {\nsplit .cgi\n%s\n}\n}", dir, socket, options))
		for _, size := range []int{1, 100_000} {
			text := strings.Repeat("x", size)
			code, got := s.do(post(s.url+"/a.cgi/info", io.MultiReader(strings.NewReader(text))))
			if want := fmt.Sprintf("/info %d\n%s", size, text); code != 200 || got != want {
				t.Errorf("%q: %d %.40q", options, code, got)
			}
		}
		s.logged(`"msg":"stderr"`, "complaint")
		s.stop()
	}
}
