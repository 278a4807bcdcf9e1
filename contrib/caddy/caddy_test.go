package caddyfcgi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// patience is how long anything may take before a test gives up on it.
const patience = 60 * time.Second

// program builds the Caddy of cmd/caddy, once.
var program = sync.OnceValues(func() (string, error) {
	path, err := filepath.Abs("../../bin/caddy/caddy.exe")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./cmd/caddy").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// A server is a Caddy that runs until the end of the test.
type server struct {
	url    string // of its site, without a slash at the end
	t      *testing.T
	config string // the name of its Caddyfile
	admin  string
	cmd    *exec.Cmd
	log    output
}

// An output is what a program prints, to be read while it does.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// serve runs Caddy with a site of these directives.
func serve(t *testing.T, directives string) *server {
	t.Helper()
	return serveSite(t, "http://", directives)
}

func serveSite(t *testing.T, scheme, directives string) *server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := socketDir(t)
	address := freeAddress(t)
	s := &server{
		t: t, url: scheme + address,
		config: filepath.Join(dir, "Caddyfile"),
		admin:  "unix/" + filepath.Join(dir, "admin"),
	}
	s.write(directives)
	s.cmd = exec.Command(path, "run", "--config", s.config)
	s.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "GODEBUG=http2xconnect=1")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("%.8000s", s.log.String())
		}
	})
	eventually(t, "Caddy listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

// write makes the Caddyfile.
func (s *server) write(directives string) {
	s.t.Helper()
	text := fmt.Sprintf("{\n\tadmin %s\n\tauto_https off\n\tpersist_config off\n\tgrace_period 30s\n"+
		"\tservers {\n\t\tprotocols h1 h2 h2c\n\t\tenable_full_duplex\n\t}\n}\n%s {\n%s\n}\n", s.admin, s.url, directives)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reload has Caddy take up other directives.
func (s *server) reload(directives string) {
	s.t.Helper()
	s.write(directives)
	cmd := exec.Command(s.cmd.Path, "reload", "--config", s.config, "--address", s.admin, "--force")
	cmd.Env = s.cmd.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("reload: %v: %s", err, out)
	}
}

// goroutines returns the stacks of Caddy's.
func (s *server) goroutines() string {
	s.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(s.admin, "unix/"))
	}}
	req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/debug/pprof/goroutine?debug=2", nil)
	code, stacks, err := ask(&http.Client{Transport: transport}, req)
	if err != nil || code != 200 {
		s.t.Fatalf("%d, %v", code, err)
	}
	return stacks
}

// stop ends Caddy, and waits for it.
func (s *server) stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	s.cmd.Wait()
}

// logged waits for a line of Caddy's log with all of these in it.
func (s *server) logged(parts ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("a line with %q is logged", parts), func() bool {
		for line := range strings.SplitSeq(s.log.String(), "\n") {
			all := true
			for _, part := range parts {
				all = all && strings.Contains(line, part)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// get returns the status and the body of a response.
func (s *server) get(path string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(req)
}

func (s *server) do(req *http.Request) (int, string) {
	s.t.Helper()
	code, body, err := ask(http.DefaultClient, req)
	if err != nil {
		s.t.Fatal(err)
	}
	return code, body
}

func ask(c *http.Client, req *http.Request) (int, string, error) {
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// An application is one of this module's, in the test's process.
type application struct {
	socket   string
	accepted atomic.Int64 // connections
	open     atomic.Int64

	tcp  sync.Once
	host string
}

// upstream is its address in a Caddyfile.
func (a *application) upstream() string { return "unix/" + a.socket }

// start runs an application until the end of the test.
func start(t *testing.T, h fastcgi.Handler) *application {
	t.Helper()
	a := &application{socket: filepath.Join(socketDir(t), "app.sock")}
	a.listen(t, h)
	return a
}

// address is one on TCP that leads to the application's socket, where no Caddy tells the transport of another network.
func (a *application) address(t *testing.T) string {
	t.Helper()
	a.tcp.Do(func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		a.host = l.Addr().String()
		a.serve(t, l, hello)
	})
	return a.host
}

func (a *application) listen(t *testing.T, h fastcgi.Handler) *fastcgi.Server {
	t.Helper()
	l, err := net.Listen("unix", a.socket)
	if err != nil {
		t.Fatal(err)
	}
	return a.serve(t, l, h)
}

func (a *application) serve(t *testing.T, l net.Listener, h fastcgi.Handler) *fastcgi.Server {
	srv := &fastcgi.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(&countingListener{l, a})
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return srv
}

// A countingListener counts an application's connections.
type countingListener struct {
	net.Listener
	app *application
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.app.accepted.Add(1)
	l.app.open.Add(1)
	return &countedConn{Conn: c, app: l.app}, nil
}

type countedConn struct {
	net.Conn
	app    *application
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.app.open.Add(-1)
	}
	return c.Conn.Close()
}

// socketDir returns a directory whose name is short enough for sockets in it.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "caddy-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("it does not happen that %s", what)
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("gave up waiting")
		panic("unreachable")
	}
}

// echo answers with the body and, in front, CONTENT_LENGTH.
var echo = fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s:", fastcgi.FromContext(r.Context()).Params.Get("CONTENT_LENGTH"))
	io.Copy(w, r.Body)
}))

// hello answers every request at once.
var hello = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
	fastcgi.SendResponse(w, http.StatusOK, "text/plain", "hello")
})

// post makes a request, whose body's length is known if NewRequest can tell.
func post(url string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, body)
	if err != nil {
		panic(err)
	}
	return req
}
