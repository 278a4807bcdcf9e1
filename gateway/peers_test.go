package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fpm"
)

func TestNetHTTPFCGI(t *testing.T) {
	path := filepath.Join(t.TempDir(), "std.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			w.Header().Set("X-Method", r.Method)
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, r.URL, r.Host, r.ContentLength, len(body), r.Header.Get("X-Asked"), err)
		}))
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	f := newFront(t, &gateway.Handler{Client: kept()}, "unix:"+path)
	host := f.Listener.Addr().String()
	for _, size := range []int{0, 1, 100000} {
		for name, body := range map[string]io.Reader{
			"sized":   strings.NewReader(strings.Repeat("x", size)),
			"unsized": unsized(strings.Repeat("x", size)),
		} {
			r := f.request(t, "PUT", "/a%20b?c=d", body)
			r.Header.Set("X-Asked", "nicely")
			resp, got, err := f.do(t, r)
			want := fmt.Sprint("http://", host, "/a%20b?c=d", host, size, size, "nicely", nil)
			if err != nil || got != want || resp.StatusCode != 202 || resp.Header.Get("X-Method") != "PUT" {
				t.Errorf("%s, %d bytes: got %q, want %q, %v, %v", name, size, got, want, resp, err)
			}
		}
	}
}

// php writes scripts and returns a front for them, with FPM behind.
func php(t *testing.T, scripts map[string]string) *front {
	t.Helper()
	addr := fpm.Start(t)
	root := t.TempDir()
	for name, code := range scripts {
		if err := os.WriteFile(filepath.Join(root, name), []byte("<?php "+code), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return newFront(t, &gateway.Handler{
		Client: kept(), Root: root, Extension: ".php", FrontController: "/index.php",
	}, addr)
}

func TestFPM(t *testing.T) {
	f := php(t, map[string]string{
		"index.php": `header("Content-Type: text/plain");
			foreach (["REQUEST_URI", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_METHOD", "PHP_SELF"] as $n)
				echo $n, "=", $_SERVER[$n] ?? "-", "\n";`,
		"post.php":   `header("Content-Type: text/plain"); echo $_POST["a"] ?? "-", " ", strlen(file_get_contents("php://input"));`,
		"status.php": `http_response_code(418); header("Set-Cookie: a=1"); header("Set-Cookie: b=2", false); echo "short";`,
		"moved.php":  `header("Location: /index.php?from=moved");`,
		"stderr.php": `ini_set("log_errors", 1); error_log("in trouble\x1b[2J"); echo "ok";`,
		"long.php":   `header("Content-Length: 500000"); echo str_repeat("0123456789", 50000);`,
		"lying.php":  `header("Content-Length: 10"); echo "short";`,
		"dies.php":   `echo getmypid(), "\n"; flush(); sleep(60);`,
		"large.php":  `echo str_repeat("x", 3000000);`,
	})

	t.Run("variables", func(t *testing.T) {
		for path, want := range map[string]string{
			"/":                  "REQUEST_URI=/\nSCRIPT_NAME=/index.php\nPATH_INFO=-\nQUERY_STRING=\nREQUEST_METHOD=GET\nPHP_SELF=/index.php\n",
			"/index.php/a%20b?c": "REQUEST_URI=/index.php/a%20b?c\nSCRIPT_NAME=/index.php\nPATH_INFO=/a b\nQUERY_STRING=c\nREQUEST_METHOD=GET\nPHP_SELF=/index.php/a b\n",
			"/pretty/url?x=1":    "REQUEST_URI=/pretty/url?x=1\nSCRIPT_NAME=/index.php\nPATH_INFO=-\nQUERY_STRING=x=1\nREQUEST_METHOD=GET\nPHP_SELF=/index.php\n",
		} {
			_, got := f.get(t, path)
			// FPM leaves an empty PATH_INFO out, or does not.
			if got = strings.ReplaceAll(got, "PATH_INFO=\n", "PATH_INFO=-\n"); got != want {
				t.Errorf("%s: %s\nwant %s", path, got, want)
			}
		}
	})

	t.Run("POST", func(t *testing.T) {
		form := "a=" + strings.Repeat("1", 200000)
		for name, body := range map[string]io.Reader{"sized": strings.NewReader(form), "chunked": unsized(form)} {
			r := f.request(t, "POST", "/post.php", body)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			_, got, err := f.do(t, r)
			if want := form[2:] + " 200002"; got != want || err != nil {
				t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(want), err)
			}
		}
	})

	t.Run("status and headers", func(t *testing.T) {
		resp, body := f.get(t, "/status.php")
		if resp.StatusCode != 418 || body != "short" || strings.Join(resp.Header["Set-Cookie"], "|") != "a=1|b=2" {
			t.Errorf("%v, %q", resp, body)
		}
	})

	t.Run("G3 redirect", func(t *testing.T) {
		resp, body := f.get(t, "/moved.php")
		if resp.Request.URL.RawQuery != "from=moved" || !strings.Contains(body, "QUERY_STRING=from=moved") {
			t.Errorf("%v, %q", resp.Request.URL, body)
		}
	})

	t.Run("stderr", func(t *testing.T) {
		_, body := f.get(t, "/stderr.php")
		if log := f.log.String(); body != "ok" || !strings.Contains(log, `in trouble\\x1b[2J`) {
			t.Errorf("%q, log %q", body, log)
		}
	})

	t.Run("G7 lengths", func(t *testing.T) {
		if resp, body := f.get(t, "/long.php"); resp.ContentLength != 500000 || len(body) != 500000 {
			t.Errorf("length %d, body %d", resp.ContentLength, len(body))
		}
		if _, body, err := f.do(t, f.request(t, "GET", "/lying.php", nil)); body != "short" || err == nil {
			t.Errorf("%q, %v", body, err)
		}
		resp, body, err := f.do(t, f.request(t, "HEAD", "/large.php", nil))
		if err != nil || body != "" || resp.StatusCode != 200 {
			t.Errorf("%v, %q, %v", resp, body, err)
		}
	})

	t.Run("F14 worker dies", func(t *testing.T) {
		resp, err := f.Client().Do(f.request(t, "GET", "/dies.php", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body := bufio.NewReader(resp.Body)
		line, err := body.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		worker, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := worker.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the response ends with %v", err)
		}
		f.get(t, "/") // FPM has another
	})
}
