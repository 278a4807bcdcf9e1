package caddyfcgi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

func TestMain(m *testing.M) { leak.Main(m) }

func proxy(a *application, options string) string {
	return fmt.Sprintf("reverse_proxy %s {\n transport fcgi {\n%s\n}\n}", a.upstream(), options)
}

// The Caddyfile of the documentation, with this test's socket.
func TestPrintedApp(t *testing.T) {
	t.Parallel()
	app := start(t, hello)
	text, err := os.ReadFile("../../docs/caddy-module/app.Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(string(text), "http:// {\n"), "}\n")
	s := serve(t, strings.ReplaceAll(inner, "/run/app/app.sock", app.socket))
	for range 3 {
		if code, body := s.get("/"); code != 200 || body != "hello" {
			t.Errorf("%d %q", code, body)
		}
	}
	if n := app.accepted.Load(); n != 1 {
		t.Errorf("%d connections for three requests", n)
	}
}

// A body of unknown length has its length when it comes to the application, unless it is to be
// streamed, whatever its size.
func TestBodies(t *testing.T) {
	t.Parallel()
	app := start(t, echo)
	for _, options := range []string{"", "collect_body", "spool_memory 1KB\nspool_limit 1MB", "stream_body", "keepalive\nmultiplex on"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			s := serve(t, proxy(app, options))
			for _, size := range []int{0, 1, 4095, 4096, 4097, 65536, 900_000} {
				text := strings.Repeat("x", size)
				for _, known := range []bool{true, false} {
					var body io.Reader = strings.NewReader(text)
					if !known {
						body = io.MultiReader(body)
					}
					want := fmt.Sprintf("%d:%s", size, text)
					if size == 0 || !known && options == "stream_body" {
						want = ":" + text
					}
					if code, got := s.do(post(s.url, body)); code != 200 || got != want {
						t.Errorf("%d bytes, known %v: status %d, %.20q", size, known, code, got)
					}
				}
			}
		})
	}
}

func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	s := serve(t, proxy(start(t, echo), "spool_limit 10KB"))
	for size, want := range map[int]int{9_999: 200, 10_000: 200, 10_001: 413} {
		if code, _ := s.do(post(s.url, io.MultiReader(strings.NewReader(strings.Repeat("x", size))))); code != want {
			t.Errorf("%d bytes: status %d, want %d", size, code, want)
		}
	}
}

// A client that sends slowly holds no worker.
func TestCollectBody(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		body, _ := io.ReadAll(r)
		asked <- string(body)
		hello(w, r)
	}))
	s := serve(t, proxy(app, "collect_body"))
	body, client := io.Pipe()
	req := post(s.url, body)
	req.ContentLength = 10_000
	done := make(chan int)
	go func() {
		code, _, _ := ask(http.DefaultClient, req)
		done <- code
	}()
	io.WriteString(client, strings.Repeat("x", 9_999))
	if n := app.accepted.Load(); n != 0 {
		t.Errorf("%d connections before the body is complete", n)
	}
	io.WriteString(client, "x")
	client.Close()
	if got := receive(t, asked); len(got) != 10_000 {
		t.Errorf("%d bytes", len(got))
	}
	if code := receive(t, done); code != 200 {
		t.Error(code)
	}
}

// The application is told of a client that has gone, on a connection that requests share and on one
// of its own.
func TestAbort(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "keepalive", "multiplex on"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			begun, gone := make(chan struct{}), make(chan struct{})
			app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				close(begun)
				<-r.Context().Done()
				close(gone)
			}))
			s := serve(t, proxy(app, options))
			ctx, cancel := context.WithCancel(t.Context())
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
			done := make(chan error)
			go func() {
				_, _, err := ask(http.DefaultClient, req)
				done <- err
			}()
			receive(t, begun)
			cancel()
			receive(t, gone)
			receive(t, done)
		})
	}
}

// The log has STDERR: as a warning, as an error with a status that is one, or not at all.
func TestStderr(t *testing.T) {
	t.Parallel()
	app := start(t, fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(fastcgi.FromContext(r.Context()).Stderr(), "first\nsecond of "+r.URL.Path+"\n")
		if r.URL.Path == "/bad" {
			w.WriteHeader(500)
		}
		io.WriteString(w, "body")
	})))
	s := serve(t, proxy(app, "")+"\nhandle_path /silent/* {\n"+proxy(app, "capture_stderr off")+"\n}")
	s.get("/silent/quiet")
	s.get("/good")
	s.get("/bad")
	s.logged(`"level":"warn"`, `"msg":"stderr"`, `"body":"first\nsecond of /good"`, `"uri":"/good"`)
	s.logged(`"level":"error"`, `"msg":"stderr"`, `"body":"first\nsecond of /bad"`, `"uri":"/bad"`)
	if strings.Contains(s.log.String(), "second of /quiet") {
		t.Error("capture_stderr off has no effect")
	}
}

// Connections are kept with max_conns or keepalive, and not without.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]int64{
		"": 10, "keepalive": 1, "max_conns 1": 1, "max_conns 1\nkeepalive off": 10, "multiplex ask": 1,
		"keepalive\nkeepalive_requests 5": 2,
	} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			app := start(t, hello)
			s := serve(t, proxy(app, options))
			for range 10 {
				if code, _ := s.get("/"); code != 200 {
					t.Fatal(code)
				}
			}
			n := app.accepted.Load()
			if options == "multiplex ask" {
				n-- // on which it was asked
			}
			if n != want {
				t.Errorf("%d connections for 10 requests, want %d", n, want)
			}
		})
	}
}

// Many clients share one connection, and none of them waits for another.
func TestMultiplex(t *testing.T) {
	t.Parallel()
	const clients = 20
	var together sync.WaitGroup
	together.Add(clients)
	app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		together.Done()
		together.Wait()
		fastcgi.SendResponse(w, 200, "text/plain", r.Params.Get("QUERY_STRING"))
	}))
	s := serve(t, proxy(app, "multiplex on"))
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/?%d", s.url, i), nil)
			code, body, err := ask(http.DefaultClient, req)
			if err != nil || code != 200 || body != fmt.Sprint(i) {
				t.Errorf("%d: %d %q %v", i, code, body, err)
			}
		})
	}
	wg.Wait()
	if n := app.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A client that reads nothing does not hold up those it shares a connection with.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		if r.Params.Get("PATH_INFO") == "/large" {
			fastcgi.SendResponse(w, 200, "text/plain", io.LimitReader(zeros{}, size))
			return
		}
		hello(w, r)
	}))
	s := serve(t, proxy(app, "multiplex on"))
	resp, err := http.Get(s.url + "/large")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for range 20 {
		if code, body := s.get("/"); code != 200 || body != "hello" {
			t.Fatalf("%d %q", code, body)
		}
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n := app.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// 1 GiB in either direction passes through, and Caddy's memory does not grow with it.
func TestLarge(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("1 GiB in either direction is not short")
	}
	const size = 1 << 30
	app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		n, _ := io.Copy(io.Discard, r)
		if n > 0 {
			fastcgi.SendResponse(w, 200, "text/plain", fmt.Sprint(n))
			return
		}
		fastcgi.SendResponse(w, 200, "text/plain", io.LimitReader(zeros{}, size))
	}))
	s := serve(t, proxy(app, "keepalive"))
	s.get("/")
	resp, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	req := post(s.url, io.LimitReader(zeros{}, size))
	req.ContentLength = size
	if code, body := s.do(req); code != 200 || body != fmt.Sprint(size) {
		t.Errorf("%d %.20q", code, body)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		required.Missing(t, "there is no /proc to read Caddy's memory from")
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	fmt.Sscan(peak, &kib)
	t.Logf("Caddy's peak: %d MiB", kib>>10)
	if kib > 256<<10 {
		t.Errorf("Caddy's memory has grown to %d MiB", kib>>10)
	}
}

// A client speaks HTTP/2 to Caddy, many requests on one connection.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	app := start(t, echo)
	s := serve(t, proxy(app, "multiplex on"))
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	h2 := &http.Client{Transport: transport}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			text := bytes.Repeat([]byte("x"), i*10_000)
			code, body, err := ask(h2, post(s.url, io.MultiReader(bytes.NewReader(text))))
			want := fmt.Sprintf("%d:%s", len(text), text)
			if i == 0 {
				want = ":"
			}
			if err != nil || code != 200 || body != want {
				t.Errorf("%d bytes: %d %.20q %v", len(text), code, body, err)
			}
		})
	}
	wg.Wait()
}

// What the application flushes, the client gets, while the response goes on.
func TestStream(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	app := start(t, fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintln(w, i)
			http.NewResponseController(w).Flush()
			<-next
		}
	})))
	s := serve(t, proxy(app, ""))
	resp, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for i := range 3 {
		if got, err := in.ReadString('\n'); got != fmt.Sprintln(i) {
			t.Fatalf("%q, %v", got, err)
		}
		next <- struct{}{}
	}
}

// An application that is silent has time until its header, or between two parts of its body.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	quit := make(chan struct{})
	app := start(t, fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "part")
			http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-quit:
		}
	})))
	defer close(quit)
	for _, options := range []string{"read_timeout 300ms", "response_header_timeout 300ms"} {
		s := serve(t, proxy(app, options))
		if code, _ := s.get("/header"); code != 504 {
			t.Errorf("%s: status %d", options, code)
		}
		if options != "read_timeout 300ms" {
			continue
		}
		resp, err := http.Get(s.url + "/body")
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "part" || err == nil {
			t.Errorf("%q, %v: the response has an end", body, err)
		}
		resp.Body.Close()
	}
}

// Where nobody listens Caddy goes on to the next upstream at once, with the body, if it is to try again;
// else the transport waits for the application, and gives up in the end.
func TestDialErrors(t *testing.T) {
	t.Parallel()
	app := start(t, echo)
	away := filepath.Join(socketDir(t), "away")
	s := serve(t, fmt.Sprintf("reverse_proxy unix/%s %s {\nlb_policy first\nlb_retries 1\nfail_duration 1m\ntransport fcgi {\ndial_timeout 1m\n}\n}", away, app.upstream()))
	begun := time.Now()
	if code, body := s.do(post(s.url, strings.NewReader(strings.Repeat("x", 100_000)))); code != 200 || len(body) != 100_007 {
		t.Errorf("%d %.20q", code, body)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v to try the second", took)
	}
	s.reload(proxy(&application{socket: away}, "dial_timeout 300ms"))
	if code, _ := s.get("/"); code != 502 {
		t.Errorf("status %d", code)
	}
}

// A deployment that switches a symbolic link shows in the next request.
func TestResolveRootSymlink(t *testing.T) {
	t.Parallel()
	app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", r.Params.Get("DOCUMENT_ROOT")+" "+r.Params.Get("SCRIPT_FILENAME"))
	}))
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	current := filepath.Join(dir, "current")
	deploy := func(release string) {
		os.Mkdir(filepath.Join(dir, release), 0o755)
		if err := os.Symlink(release, current+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(current+".new", current); err != nil {
			t.Fatal(err)
		}
	}
	deploy("one")
	s := serve(t, fmt.Sprintf("vars dir %s\n", dir)+proxy(app, "root {http.vars.dir}/current\nsplit .php\nresolve_root_symlink\nkeepalive"))
	plain := serve(t, proxy(app, "root "+current+"\nsplit .php"))
	for _, release := range []string{"one", "two"} {
		deploy(release)
		if _, got := s.get("/a.php"); got != fmt.Sprintf("%[1]s/%[2]s %[1]s/%[2]s/a.php", dir, release) {
			t.Error(got)
		}
		if _, got := plain.get("/a.php"); got != fmt.Sprintf("%[1]s/current %[1]s/current/a.php", dir) {
			t.Error(got)
		}
	}
}
