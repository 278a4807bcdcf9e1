package websocket_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/programs"
)

// playEcho, in the environment, has this program be an application in place of running tests.
const playEcho = "WEBSOCKET_TEST_PLAYS_ECHO"

// echoProgram is what it does then. It exits when it is asked to and its last connection has ended.
func echoProgram() {
	http.Handle("/", gorillaEcho(make(chan error, 1)))
	fastcgi.Main(fastcgi.HTTP(nil))
}

// Under fcgi serve a WebSocket works with nothing to be set, and does not hold up Ctrl-C.
func TestServe(t *testing.T) {
	var output lockedBuffer
	cmd := exec.Command(programs.Tool.Build(t), "serve", "--listen", "127.0.0.1:0", "--", os.Args[0])
	cmd.Env = append(os.Environ(), playEcho+"=1")
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill() // in vain, usually
		if t.Failed() {
			t.Log(output.String())
		}
	})
	url := output.await(t, regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`))
	p := dialGorilla(t, url, nil)
	exchange(t, session{peer: p})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, got, err := p.receive(); err == nil || closedNormally(err) {
		t.Errorf("the client saw %q, %v", got, err)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("fcgi serve ended with %v", err)
	}
}

// A lockedBuffer is what a process has printed so far.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// await waits until something was printed.
func (b *lockedBuffer) await(t *testing.T, what *regexp.Regexp) string {
	t.Helper()
	for start := time.Now(); time.Since(start) < patience; time.Sleep(5 * time.Millisecond) {
		if found := what.FindString(b.String()); found != "" {
			return found
		}
	}
	t.Fatalf("it never printed %s", what)
	return ""
}
