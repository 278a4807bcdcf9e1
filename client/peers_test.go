package client_test

import (
	"bytes"
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

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fpm"
)

// serveStandard serves handler with net/http/fcgi and returns the address.
func serveStandard(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "std.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { fcgi.Serve(l, handler) })
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	return "unix:" + path
}

// httpParams are the variables that net/http/fcgi wants.
func httpParams(method string, length int) []client.Pair {
	params := []client.Pair{
		{Name: "REQUEST_METHOD", Value: method},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "REQUEST_URI", Value: "/path?q=1"},
		{Name: "HTTP_HOST", Value: "example.org"},
	}
	if length > 0 {
		params = append(params, client.Pair{Name: "CONTENT_LENGTH", Value: strconv.Itoa(length)})
	}
	return params
}

func TestNetHTTPFCGI(t *testing.T) { eachMode(t, testNetHTTPFCGI) }

func testNetHTTPFCGI(t *testing.T, m mode) {
	addr := serveStandard(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, r.Method, r.URL.Path, n, err)
	})
	for _, keep := range []bool{false, true} {
		c := &client.Client{Multiplex: m.multiplex, Addr: addr, KeepConn: keep}
		for _, size := range []int{0, 1, 65535, 65536, 1 << 20} {
			body := bytes.Repeat([]byte("b"), size)
			req := &client.Request{Params: httpParams("POST", size), Stdin: bytes.NewReader(body)}
			got, _, err := answer(t, c, req)
			want := fmt.Sprintf("POST /path %d <nil>\n", size)
			if _, body, _ := strings.Cut(got, "\r\n\r\n"); body != want || err != nil {
				t.Errorf("keep %v: got %q, %v", keep, got, err)
			}
		}
		c.Close()
	}
}

func TestNetHTTPFCGIInParallel(t *testing.T) { eachMode(t, testNetHTTPFCGIInParallel) }

func testNetHTTPFCGIInParallel(t *testing.T, m mode) {
	addr := serveStandard(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	c := &client.Client{Multiplex: m.multiplex, Addr: addr, KeepConn: true, MaxConns: 4, MaxIdle: 4}
	defer c.Close()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			body := strings.Repeat(strconv.Itoa(i), 5000)
			got, _, err := answer(t, c, &client.Request{Params: httpParams("PUT", len(body)), Stdin: strings.NewReader(body)})
			if !strings.HasSuffix(got, "\r\n\r\n"+body) || err != nil {
				t.Errorf("request %d: %q, %v", i, clip(got), err)
			}
		})
	}
	wg.Wait()
}

// script writes a PHP script and returns the params that have FPM run it.
func script(t *testing.T, code, method string, length int) []client.Pair {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.php")
	if err := os.WriteFile(path, []byte("<?php "+code), 0o644); err != nil {
		t.Fatal(err)
	}
	return append(httpParams(method, length),
		client.Pair{Name: "SCRIPT_FILENAME", Value: path},
		client.Pair{Name: "CONTENT_TYPE", Value: "application/octet-stream"},
		client.Pair{Name: "HTTP_X_ASKED", Value: "nicely"})
}

func TestFPM(t *testing.T) { eachMode(t, testFPM) }

func testFPM(t *testing.T, m mode) {
	addr := fpm.Start(t)
	big := strings.Repeat("0123456789abcdef", 1<<16)
	for _, tt := range []struct {
		name, code, stdin string
		want              []string // parts of STDOUT
		stderr            string   // part of STDERR
	}{
		{name: "GET", code: `echo "hello";`, want: []string{"Content-type: text/html", "\r\n\r\nhello"}},
		{
			name: "headers", code: `header("X-Answer: 42"); http_response_code(404); echo $_SERVER["HTTP_X_ASKED"];`,
			want: []string{"Status: 404 Not Found\r\n", "X-Answer: 42\r\n", "\r\n\r\nnicely"},
		},
		{name: "POST", code: `echo strlen(file_get_contents("php://input"));`, stdin: big, want: []string{"\r\n\r\n1048576"}},
		{name: "C7 long", code: `echo str_repeat("x", 1000000), "end";`, want: []string{"xend"}},
		{name: "C15 STDIN unread", code: `echo "early";`, stdin: big, want: []string{"\r\n\r\nearly"}},
		{
			name: "C6 STDERR", code: `ini_set("log_errors", 1); error_log("in trouble"); echo "ok";`,
			want: []string{"\r\n\r\nok"}, stderr: "PHP message: in trouble",
		},
	} {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, keep %v", tt.name, keep), func(t *testing.T) {
				// With one connection, and two requests, a worker that is lost is noticed.
				c := &client.Client{Multiplex: m.asking(), Addr: addr, KeepConn: keep, MaxConns: 1}
				defer c.Close()
				for range 2 {
					var stderr bytes.Buffer
					got, _, err := answer(t, c, &client.Request{
						Params: script(t, tt.code, "POST", len(tt.stdin)),
						Stdin:  strings.NewReader(tt.stdin),
						Stderr: &stderr,
					})
					if err != nil || !strings.Contains(stderr.String(), tt.stderr) {
						t.Errorf("error %v, STDERR %q", err, &stderr)
					}
					for _, part := range tt.want {
						if !strings.Contains(got, part) {
							t.Errorf("no %q in %q", part, clip(got))
						}
					}
				}
			})
		}
	}
}

// C14, F16: FPM ends its workers after pm.max_requests, kept connections or not.
func TestFPMRecyclesWorkers(t *testing.T) { eachMode(t, testFPMRecyclesWorkers) }

func testFPMRecyclesWorkers(t *testing.T, m mode) {
	c := &client.Client{Multiplex: m.asking(), Addr: fpm.Start(t), KeepConn: true, MaxConns: 1}
	defer c.Close()
	params := script(t, `echo getmypid();`, "GET", 0)
	workers := make(map[string]bool)
	for i := range 120 {
		got, _, err := answer(t, c, &client.Request{Params: params})
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		workers[got] = true
	}
	if len(workers) < 2 {
		t.Errorf("%d workers answered 120 requests, and none was to answer more than 50", len(workers))
	}
}

func TestC11FPMValues(t *testing.T) { eachMode(t, testC11FPMValues) }

func testC11FPMValues(t *testing.T, m mode) {
	c := &client.Client{Multiplex: m.asking(), Addr: fpm.Start(t)}
	values, err := c.GetValues(t.Context())
	if err != nil || values["FCGI_MPXS_CONNS"] != "0" {
		t.Errorf("values %v, %v", values, err)
	}
}
